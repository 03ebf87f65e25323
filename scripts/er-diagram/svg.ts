// Draws the schema: a band per migration, small ones side by side, a card per table, and a line from each table to the tables whose keys it holds.
// Cards stand in columns of one width, so that lines run in the gaps between them and never across a card.
import type { Migration, Relation, Table } from './schema.ts'

const COLUMNS = 5
const CARD_WIDTH = 292
const GAP_X = 64
const MARGIN = 48
const HEADER = 32
const ROW = 20
const CARD_PADDING = 8
const TITLE = 50
/** Under a band's title, where lines run sideways. */
const LANES = 48
const BAND_GAP = 22
const LANE_STEP = 6

const COLOURS = ['#2563eb', '#c2410c', '#047857', '#7c3aed', '#be185d', '#0e7490', '#a16207', '#4338ca']

interface Card {
  readonly table: Table
  readonly x: number
  readonly y: number
  readonly height: number
  /** Top of the free strip above its row of cards. */
  readonly lanesY: number
}

interface Band {
  readonly migration: Migration
  /** Of its first card, where its title starts too. */
  readonly x: number
  readonly y: number
  readonly columns: number
  height: number
}

export function toSvg(migrations: readonly Migration[], relations: readonly Relation[]): string {
  const { cards, bands, height } = layOut(migrations)
  const width = MARGIN * 2 + COLUMNS * CARD_WIDTH + (COLUMNS - 1) * GAP_X + GAP_X
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    '<title id="title">The tables of Recount, by migration</title>',
    '<!-- Generated from migrations/ by scripts/er-diagram.ts; do not edit. -->',
    STYLE,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...bands.map(drawBand),
    ...drawLines(cards, relations),
    ...[...cards.values()].map(drawCard),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

const STYLE = `<style>
text { font-family: ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 13px; fill: #1f2937 }
.band { font-size: 17px; font-weight: 650 } .about { font-size: 13px; fill: #6b7280 }
.name { font-size: 14px; font-weight: 650; fill: #fff }
.column, .type, .key { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12px }
.type { fill: #6b7280 } .key { font-size: 10px; font-weight: 700; fill: #b45309 } .index { fill: #94a3b8 } .primary { font-weight: 700 }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round }
</style>`

function layOut(migrations: readonly Migration[]): { cards: Map<Table, Card>; bands: Band[]; height: number } {
  const cards = new Map<Table, Card>()
  const bands: Band[] = []
  let y = MARGIN
  for (const shelf of shelvesOf(migrations)) {
    let column = 0
    let bottom = y
    const placed: Band[] = []
    for (const migration of shelf) {
      const columns = Math.min(COLUMNS, migration.tables.length)
      placed.push({ migration, x: columnX(column), y, columns, height: 0 })
      bottom = Math.max(bottom, placeCards(cards, migration.tables, column, y + TITLE))
      column += columns
    }
    for (const band of placed) band.height = bottom - y
    bands.push(...placed)
    y = bottom + BAND_GAP
  }
  return { cards, bands, height: y + MARGIN - BAND_GAP }
}

/** Migrations in their order, as many on a shelf as its columns hold. */
function shelvesOf(migrations: readonly Migration[]): Migration[][] {
  const shelves: Migration[][] = []
  let free = 0
  for (const migration of migrations) {
    const columns = Math.min(COLUMNS, migration.tables.length)
    if (columns > free) {
      shelves.push([])
      free = COLUMNS
    }
    shelves.at(-1)!.push(migration)
    free -= columns
  }
  return shelves
}

/** Answers where the last row ends. */
function placeCards(cards: Map<Table, Card>, tables: readonly Table[], column: number, top: number): number {
  let y = top
  for (let from = 0; from < tables.length; from += COLUMNS) {
    const row = tables.slice(from, from + COLUMNS)
    const lanesY = y
    y += LANES
    const heights = row.map((table, index) => {
      const height = HEADER + table.columns.length * ROW + CARD_PADDING * 2
      cards.set(table, { table, x: columnX(column + index), y, height, lanesY })
      return height
    })
    y += Math.max(...heights) + BAND_GAP
  }
  return y
}

function columnX(column: number): number {
  return MARGIN + GAP_X + column * (CARD_WIDTH + GAP_X)
}

function drawBand({ migration, x, y, columns, height }: Band): string {
  const [number, ...words] = migration.name.split('_')
  const width = columns * (CARD_WIDTH + GAP_X) - 12
  const chars = Math.floor((width - GAP_X) / 6.8)
  const summary = migration.summary.length > chars ? `${migration.summary.slice(0, chars - 1).trimEnd()}…` : migration.summary
  return [
    `<rect x="${x - GAP_X + 12}" y="${y - 8}" width="${width + 6}" height="${height}" rx="12" fill="#f8fafc" stroke="#e2e8f0"/>`,
    `<text x="${x}" y="${y + 20}" class="band">${number} ${escape(words.join(' '))}</text>`,
    `<text x="${x}" y="${y + 42}" class="about">${escape(summary)}</text>`,
  ].join('\n')
}

function drawCard({ table, x, y, height }: Card): string {
  const rows = table.columns.map((column, index) => {
    const baseline = y + HEADER + CARD_PADDING + index * ROW + 14
    const key = column.key === undefined ? '' : `<text x="${x + 10}" y="${baseline}" class="key${column.key === 'IX' ? ' index' : ''}">${column.key}</text>`
    const name = `<text x="${x + 36}" y="${baseline}" class="column${column.key === 'PK' ? ' primary' : ''}">${escape(column.name)}</text>`
    const type = `<text x="${x + CARD_WIDTH - 10}" y="${baseline}" class="type" text-anchor="end">${escape(column.type)}${column.nullable ? '?' : ''}</text>`
    return key + name + type
  })
  return [
    `<rect x="${x}" y="${y}" width="${CARD_WIDTH}" height="${height}" rx="8" fill="#fff" stroke="#cbd5e1"/>`,
    `<path d="M${x} ${y + HEADER}v-${HEADER - 8}a8 8 0 0 1 8-8h${CARD_WIDTH - 16}a8 8 0 0 1 8 8v${HEADER - 8}z" fill="#334155"/>`,
    `<text x="${x + 12}" y="${y + 21}" class="name">${escape(table.name)}</text>`,
    ...rows,
  ].join('\n')
}

/** From the child's first key column, through the gap beside it, to the strip above the parent, and into the parent's head. */
function drawLines(cards: ReadonlyMap<Table, Card>, relations: readonly Relation[]): string[] {
  const parents = [...new Set(relations.map(({ parent }) => parent))]
  return relations.map(({ child, parent }, index) => {
    const from = cards.get(child)!
    const to = cards.get(parent)!
    const lane = (index % 5) * LANE_STEP
    const order = child.columns.findIndex(({ name }) => parent.primaryKey.includes(name))
    const startY = from.y + HEADER + CARD_PADDING + order * ROW + 10
    const endY = to.y + HEADER / 2
    const parentIndex = parents.indexOf(parent)
    const gapFrom = from.x - 16 - lane
    const gapTo = to.x - 10 - (parentIndex % 2) * 5
    const laneY = to.lanesY + 8 + (index % 6) * LANE_STEP
    const colour = COLOURS[parentIndex % COLOURS.length]!
    const path = `M${from.x} ${startY}H${gapFrom}V${laneY}H${gapTo}V${endY}H${to.x}`
    return [
      `<path class="line" stroke="${colour}" d="${path}"><title>${escape(child.name)} → ${escape(parent.name)} (${parent.primaryKey.join(', ')})</title></path>`,
      // The many end is a crow's foot, the one end an arrow.
      `<path class="line" stroke="${colour}" d="M${from.x} ${startY - 5}l-9 5l9 5"/>`,
      `<path fill="${colour}" d="M${to.x} ${endY}l-8 -4v8z"/>`,
    ].join('\n')
  })
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
