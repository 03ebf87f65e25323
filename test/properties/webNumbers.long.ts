// The same as webNumbers.test.ts on more and longer histories.
import { webNumbers } from './webNumbers.ts'

for (const engine of ['sqlite', 'mysql'] as const) {
  describe(`web numbers on ${engine}, at length`, function () {
    this.timeout(3_600_000)
    webNumbers(engine, engine === 'sqlite' ? { histories: 600, steps: 120, limitMs: 900_000 } : { histories: 80, steps: 100, limitMs: 900_000 })
  })
}
