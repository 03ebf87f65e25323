// From a schema of the OpenAPI document to values that it describes, or that it describes but for one place. What a schema
// cannot know (which app there is, which day has events) comes from a pool by the name of the field.
import { boundary, hostile, hostileText, NAMES } from './hostile.ts'
import type { Random } from './random.ts'

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly pattern?: string
  readonly format?: string
  readonly example?: unknown
  readonly examples?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
}

/** What fields of a name hold in the world that is asked; undefined: nothing special. */
export type Pool = (name: string) => readonly string[] | undefined

export interface Values {
  /** As the schema says. */
  valid(schema: Schema, name: string): unknown
  /** As the schema says, but for one place. */
  nearlyValid(schema: Schema, name: string): unknown
}

const TEXTS = [
  ...['Shop', 'signup', 'a', 'https://shop.example/p?utm_source=x', '2026-11-01T10:00:00Z', '2026-11-01', 'Europe/Berlin', 'EUR', 'de-DE', '1280x720', '203.0.113.7'],
  ...['value', 'metadata.plan', 'page', 'metadata.amount', 'ada@example.com', 'example.com', '0192f7a0-0000-7000-8000-000000000000', 'visitor-1', 'Ünïcödé ✓', '5', 'rk_0123456789abcdef0123456789abcdef'],
] as const
const DEEPEST = 6

export function valuesOf(components: Readonly<Record<string, Schema>>, pool: Pool, random: Random): Values {
  /** Counts down over the places of a value; the one where it reaches 0 is made wrong. */
  let wrongIn = -1

  const make = (written: Schema, name: string, depth: number): unknown => {
    if (wrongIn-- === 0) return wrong(resolved(written), name, depth)
    return right(resolved(written), name, depth)
  }
  const resolved = (schema: Schema): Schema => (schema.$ref === undefined ? schema : resolved(components[schema.$ref.split('/').at(-1)!]!))

  const wrong = (schema: Schema, name: string, depth: number): unknown => {
    const how = random.int(5)
    if (how === 0) return undefined
    if (how === 1) return boundary(schema, random)
    if (how === 2 && schema.properties !== undefined) return { ...(right(schema, name, depth) as object), [random.pick(NAMES)]: hostile(random) }
    if (how === 3) return typeof right(schema, name, depth) === 'string' ? hostileText(random) : String(random.int(1_000))
    return hostile(random)
  }

  const right = (schema: Schema, name: string, depth: number): unknown => {
    if (schema.const !== undefined) return schema.const
    if (schema.enum !== undefined) return random.pick(schema.enum)
    const choices = schema.anyOf ?? schema.oneOf
    if (choices !== undefined) return make(random.pick(choices), name, depth)
    const whole = depth === 0 ? schema.examples : undefined
    if (whole !== undefined && random.chance(0.5)) return withIds(random.pick(whole), pool, random)
    const type = typeof schema.type === 'object' ? random.pick(schema.type) : schema.type
    if (type === 'object' || schema.properties !== undefined) return objectFor(schema, depth)
    if (type === 'array') return listFor(schema, name, depth)
    if (type === 'integer' || type === 'number') return numberFor(schema)
    if (type === 'boolean') return random.chance(0.5)
    if (type === 'null') return null
    return textFor(schema, name)
  }

  const objectFor = ({ properties = {}, required = [], additionalProperties }: Schema, depth: number): Record<string, unknown> => {
    const made: Record<string, unknown> = {}
    for (const [name, schema] of Object.entries(properties)) {
      const wanted = required.includes(name) || (depth < DEEPEST && random.chance(0.3))
      const value = wanted ? make(schema, name, depth + 1) : undefined
      if (value !== undefined) made[name] = value
    }
    if (additionalProperties !== false && Object.keys(properties).length === 0) {
      for (const key of ['plan', 'amount', 'page']) if (random.chance(0.5)) made[key] = random.pick(['pro', 12.5, true, null, 'free'])
    }
    return made
  }
  const listFor = ({ items = {}, minItems = 0, maxItems = 3 }: Schema, name: string, depth: number): unknown[] => {
    const length = Math.max(minItems, random.int(Math.min(maxItems, 4) + 1))
    return Array.from({ length }, () => make(items, name, depth + 1)).filter((value) => value !== undefined)
  }
  const numberFor = ({ type, minimum = 0, maximum = 100 }: Schema): number => {
    if (type === 'number') return random.pick([minimum, maximum, (minimum + maximum) / 2])
    return random.pick([minimum, maximum, minimum + random.int(Math.min(maximum - minimum, 20) + 1)])
  }
  const textFor = ({ pattern, minLength = 0, maxLength = 1_000, example, examples = [] }: Schema, name: string): string => {
    const known = pool(name)
    if (known !== undefined && known.length > 0 && random.chance(0.9)) return random.pick(known)
    const form = pattern === undefined ? undefined : new RegExp(pattern, 'u')
    const texts = [...[example, ...examples].filter((given) => typeof given === 'string'), ...TEXTS]
    const fitting = texts.filter((text) => text.length >= minLength && text.length <= maxLength && form?.test(text) !== false)
    return fitting.length === 0 ? 'x'.repeat(minLength) : random.pick(fitting)
  }

  return {
    valid: (schema, name) => {
      wrongIn = -1
      return make(schema, name, 0)
    },
    nearlyValid: (schema, name) => {
      wrongIn = random.int(8)
      const value = make(schema, name, 0)
      // It had fewer places than that.
      return wrongIn < 0 ? value : wrong(resolved(schema), name, 0)
    },
  }
}

/** An example of the document names apps and events that are not there; those of the world take their place. */
function withIds(example: unknown, pool: Pool, random: Random): unknown {
  if (typeof example !== 'object' || example === null || Array.isArray(example)) return example
  return Object.fromEntries(
    Object.entries(example).map(([name, value]) => {
      const known = name.endsWith('Id') ? pool(name) : undefined
      return [name, known === undefined || known.length === 0 || typeof value !== 'string' ? withIds(value, pool, random) : random.pick(known)]
    }),
  )
}
