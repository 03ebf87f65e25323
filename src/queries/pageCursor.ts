// Where a page of a list by time ended: the instant of its last row and, among rows of one instant, that row's id.
import type { Knex } from 'knex'
import { isUuid, uuidToBytes } from '../kernel/ids.ts'
import { notACursor } from './person.ts'

export interface ByTime {
  /** Column of epoch milliseconds. */
  readonly time: string
  readonly id: string
  readonly order: 'asc' | 'desc'
}

export function pageCursor(at: number, id: string): string {
  return `${at}.${id}`
}

/** In the list's order, after the cursor. Throws Problem `invalid_parameter`. */
export function pageByTime(query: Knex.QueryBuilder, { time, id, order }: ByTime, cursor: string | undefined): Knex.QueryBuilder {
  const ordered = query.orderBy([{ column: time, order }, { column: id, order }])
  if (cursor === undefined) return ordered
  const [, at = '', last = ''] = /^(\d{1,15})\.(.+)$/.exec(cursor) ?? []
  if (!isUuid(last)) throw notACursor()
  const beyond = order === 'asc' ? '>' : '<'
  return ordered.where((after) => {
    void after.where(time, beyond, Number(at)).orWhere((same) => void same.where(time, Number(at)).where(id, beyond, uuidToBytes(last)))
  })
}
