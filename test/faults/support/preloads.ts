// The preloads (fault.ts) as JavaScript: a process that has to load a compiler first takes four times as long to start, and
// processes are started here by the hundred.
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { scratchDirectory } from '../../support/scratch.ts'
import { PRELOADS } from './fault.ts'

const PACKAGES = join(import.meta.dirname, '../../../node_modules')
const OPTIONS = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true } as const

let compiled: readonly string[] | undefined

/** Their URLs, for --import. */
export function compiledPreloads(): readonly string[] {
  return (compiled ??= compile())
}

function compile(): string[] {
  const directory = scratchDirectory('preloads')
  // What they patch has to be the very packages that the program loads.
  symlinkSync(PACKAGES, join(directory, 'node_modules'))
  return PRELOADS.map((file) => {
    const { outputText } = ts.transpileModule(readFileSync(join(import.meta.dirname, file), 'utf8'), { compilerOptions: OPTIONS, reportDiagnostics: false })
    const module = join(directory, file.replace(/ts$/, 'mjs'))
    writeFileSync(module, outputText)
    return pathToFileURL(module).href
  })
}
