// Starts a module of ours as a thread, built or from the source: what runs TypeScript in the main thread does not do so in
// others by itself, so there the thread registers it first.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'

/** The module beside `parent` (its import.meta.url), by its name without extension. */
export function startThread(parent: string, name: string, options: WorkerOptions): Worker {
  if (!parent.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, parent), options)
  const loader = createRequire(parent).resolve('tsx/cjs/api')
  const module = fileURLToPath(new URL(`./${name}.ts`, parent))
  return new Worker(`require(${JSON.stringify(loader)}).register(); require(${JSON.stringify(module)})`, { ...options, eval: true })
}
