// 20,000 generated requests over all routes: what 2,000 of them (test/http/fuzz.test.ts, which says what is left out) might
// not meet, and long enough to see whether memory stays level. RECOUNT_FUZZ_SEED repeats a run, RECOUNT_FUZZ_REQUESTS lengthens it.
import { randomBytes } from 'node:crypto'
import { fuzz } from './support/fuzz/fuzz.ts'
import { assertDeep, assertLevel } from './support/fuzz/judge.ts'

const REQUESTS = Number(process.env['RECOUNT_FUZZ_REQUESTS'] ?? 20_000)
const seed = process.env['RECOUNT_FUZZ_SEED'] ?? randomBytes(6).toString('hex')

describe('very many generated requests', function () {
  this.timeout(3 * 3_600_000)

  it(`are answered as documented, all ${REQUESTS} of RECOUNT_FUZZ_SEED=${seed}`, async () => {
    const outcome = await fuzz(REQUESTS, seed)
    // A definition has to make sense beyond its schema, which chance may miss.
    assertDeep(outcome, { leastDone: 0.15, leastOperations: 0.97 })
    assertLevel(outcome, { requests: REQUESTS, from: 2, bytesPerRequest: 1_000 })
  })
})
