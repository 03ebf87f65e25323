// Random histories: live projection = rebuild = the log's answer = a naive count (reference.ts).
import { webNumbers } from './webNumbers.ts'

for (const engine of ['sqlite', 'mysql'] as const) {
  describe(`web numbers on ${engine}`, function () {
    this.timeout(180_000)
    webNumbers(engine, engine === 'sqlite' ? { histories: 25, steps: 50, limitMs: 50_000 } : { histories: 4, steps: 40, limitMs: 50_000 })
  })
}
