// The schema in Mermaid's notation: the source form of the diagram, for tools and for diffs.
import type { Migration, Relation } from './schema.ts'

const KEYS = { PK: ' PK', UK: ' UK', IX: '' }

export function toMermaid(migrations: readonly Migration[], relations: readonly Relation[]): string {
  const lines = ['%% Generated from migrations/ by scripts/er-diagram.ts; do not edit.', 'erDiagram']
  for (const { name, summary, tables } of migrations) {
    lines.push('', `  %% ${name}: ${summary}`)
    for (const table of tables) {
      lines.push(`  ${table.name} {`)
      for (const column of table.columns) {
        const key = column.key === undefined ? '' : KEYS[column.key]
        const notes = [column.key === 'IX' ? 'indexed' : '', column.nullable ? 'may be null' : ''].filter(Boolean)
        lines.push(`    ${column.type} ${column.name}${key}${notes.length > 0 ? ` "${notes.join(', ')}"` : ''}`)
      }
      lines.push('  }')
    }
  }
  lines.push('')
  for (const { parent, child } of relations) lines.push(`  ${parent.name} ||--o{ ${child.name} : "${parent.primaryKey.join(', ')}"`)
  return `${lines.join('\n')}\n`
}
