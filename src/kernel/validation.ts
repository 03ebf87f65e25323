// Turns a JSON schema into a check that answers faults in words: where each one is, as a JSON pointer, and what is wrong
// with it. Ajv runs in strict mode, so a misspelt keyword stops the program at start and not a client's request; each
// schema is compiled once, however often it is asked for.
import { Ajv, type ErrorObject, type SchemaValidateFunction, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { Fault } from '../errors.ts'
import { WORDS, words } from './validationWords.ts'

export type Check = (input: unknown) => Fault[]

export interface CheckOptions {
  /** For query strings: text is turned into the number or boolean that the schema asks for, in place; paths are names. */
  readonly parameters?: boolean
}

/** More faults than this help nobody, and an answer must not grow with a hostile body. */
const FAULTS_MAX = 20
/** Reports of Ajv that are looked at: sorting out branches compares each with each. */
const REPORTS_MAX = 200
const NAME_CHARS_MAX = 64

const unique: SchemaValidateFunction = (wanted: boolean, items: readonly unknown[]): boolean => {
  if (!wanted) return true
  const places = new Map<string, number>()
  for (const [j, item] of items.entries()) {
    const text = JSON.stringify(item, sortingKeys)
    const i = places.get(text)
    if (i !== undefined) {
      unique.errors = [{ keyword: 'uniqueItems', params: { i, j } }]
      return false
    }
    places.set(text, j)
  }
  return true
}

const bodies = strictAjv(false)
const parameters = strictAjv(true)
const compiled = { bodies: new WeakMap<object, Check>(), parameters: new WeakMap<object, Check>() }

/** The check of a schema; an empty answer means that the input is valid. Throws when the schema itself is wrong. */
export function compile(schema: Readonly<Record<string, unknown>>, options: CheckOptions = {}): Check {
  const known = options.parameters === true ? compiled.parameters : compiled.bodies
  let check = known.get(schema)
  if (check === undefined) {
    const validate = (options.parameters === true ? parameters : bodies).compile(schema)
    check = options.parameters === true ? parameterCheck(validate) : (input) => faultsOf(validate, input)
    known.set(schema, check)
  }
  return check
}

function strictAjv(coerceTypes: boolean): Ajv {
  // strictRequired would forbid `then: { required }`, where the property is described outside the branch.
  const ajv = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true, allErrors: true, verbose: true, coerceTypes })
  formats.default(ajv)
  // OpenAPI's annotation; the schemas are the document's components too.
  ajv.addVocabulary(['example', WORDS])
  // Ajv's own calls valueOf and toString of the items, which in what a client sends may be anything; and it compares each with each.
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', validate: unique })
  return ajv
}

function sortingKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)))
}

function parameterCheck(validate: ValidateFunction): Check {
  return (input) => faultsOf(validate, input).map(({ path, detail }) => ({ path: path.slice(1), detail }))
}

function faultsOf(validate: ValidateFunction, input: unknown): Fault[] {
  if (validate(input)) return []
  return summarised((validate.errors ?? []).slice(0, REPORTS_MAX))
    .slice(0, FAULTS_MAX)
    .map((error) => ({ path: pathOf(error), detail: words(error) }))
}

/**
 * Ajv reports every branch of an anyOf that did not match, and then the anyOf. Say what helps: the faults inside the
 * branch that the input was meant for, where one got past the type; else that none of the branches' types fits.
 */
function summarised(errors: readonly ErrorObject[]): ErrorObject[] {
  let left = errors.filter((error) => error.keyword !== 'if')
  for (const choice of errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')) {
    const branches = left.filter((error) => isBranchOf(error, choice))
    const meant = branches.filter((error) => error.instancePath !== choice.instancePath || !isMismatch(error))
    left = left.filter((error) => !branches.includes(error) && error !== choice)
    left.push(...(meant.length > 0 ? meant : [withBranches(choice, branches)]))
  }
  return left
}

function isBranchOf(error: ErrorObject, choice: ErrorObject): boolean {
  return error.schemaPath.startsWith(`${choice.schemaPath}/`) && error.instancePath.startsWith(choice.instancePath)
}

function isMismatch({ keyword }: ErrorObject): boolean {
  return keyword === 'type' || keyword === 'const' || keyword === 'enum'
}

function withBranches(choice: ErrorObject, branches: readonly ErrorObject[]): ErrorObject {
  // `type: string, const: all` fails twice on a number; the const says more.
  const telling = branches.filter(
    (branch) =>
      branch.keyword !== 'type' ||
      !branches.some((other) => other.keyword !== 'type' && parent(other.schemaPath) === parent(branch.schemaPath)),
  )
  return { ...choice, params: { branches: telling.map(words) } }
}

function parent(schemaPath: string): string {
  return schemaPath.slice(0, schemaPath.lastIndexOf('/'))
}

function pathOf(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>
  const field = params['additionalProperty'] ?? params['unevaluatedProperty'] ?? params['missingProperty'] ?? params['propertyName']
  return typeof field === 'string' ? `${error.instancePath}/${pointerPart(field)}` : error.instancePath
}

function pointerPart(field: string): string {
  return field.slice(0, NAME_CHARS_MAX).replaceAll('~', '~0').replaceAll('/', '~1')
}
