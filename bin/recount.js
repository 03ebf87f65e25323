#!/usr/bin/env node
// Runs the built program; in a checkout that was never built it says what to run instead of failing on an import.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/src/cli/main.js', import.meta.url)

if (existsSync(fileURLToPath(main))) {
  await import(main.href)
} else {
  process.stderr.write('recount is not built yet. Run: npm install && npm run build\n')
  process.exitCode = 2
}
