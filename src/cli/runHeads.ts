// `recount heads`: the heads of the append chain, to be kept where nobody who can write the log can change them.
import { writeFileSync } from 'node:fs'
import type { Config } from '../config.ts'
import { headsLine, publish } from '../events/publishedHeads.ts'
import { withStores } from './stores.ts'

/** To standard output, or as the whole content of a file. */
export async function runHeads(config: Config, options: { readonly json: boolean; readonly out: string | undefined }): Promise<void> {
  const published = await withStores(config, async ({ log, clock }) => publish(await log.heads(), clock.now()))
  const text = options.json ? JSON.stringify(published) : headsLine(published)
  if (options.out === undefined) console.log(text)
  else writeFileSync(options.out, `${text}\n`)
}
