// Draws the entity-relationship diagram from the migrations: npm run er-diagram writes docs/er-diagram.mmd and .svg.
// A test fails when they are not what the migrations say.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { toMermaid } from './er-diagram/mermaid.ts'
import { readSchema, relationsOf } from './er-diagram/schema.ts'
import { toSvg } from './er-diagram/svg.ts'

/** The two files by name. */
export async function drawDiagram(): Promise<Record<'er-diagram.mmd' | 'er-diagram.svg', string>> {
  const migrations = await readSchema()
  const relations = relationsOf(migrations)
  return { 'er-diagram.mmd': toMermaid(migrations, relations), 'er-diagram.svg': toSvg(migrations, relations) }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [name, content] of Object.entries(await drawDiagram())) writeFileSync(join(import.meta.dirname, '../docs', name), content)
}
