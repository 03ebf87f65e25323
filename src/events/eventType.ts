// What one event type is: its name, the schema of its newest version, and one upcaster per older version. Stored bytes are
// never rewritten; a reader always sees the newest shape.

export type JsonSchema = Readonly<Record<string, unknown>>

export interface EventType<Data = unknown> {
  readonly type: string
  /** The version that is written now, from 1. */
  readonly schemaVersion: number
  readonly schema: JsonSchema
  /** upcasters[n] turns the data of version n + 1 into that of version n + 2. */
  readonly upcasters: readonly ((data: never) => unknown)[]
  /** Never set: carries the type of the data. */
  readonly dataType?: Data
}

export function eventType<Data>(
  type: string,
  schema: JsonSchema,
  upcasters: readonly ((data: never) => unknown)[] = [],
): EventType<Data> {
  return { type, schemaVersion: upcasters.length + 1, schema, upcasters }
}
