// The property that Recount stands on, as a suite that short and long runs share: whatever the history and however it was
// folded, tables, log and a naive count agree.
import fc from 'fast-check'
import { asked, assertAnswer, questions, rangeOf } from './questions.ts'
import { type History, histories } from './histories.ts'
import { assertRebuilds, cuts, FOLDED, type Stage, staged } from './stage.ts'
import { localDate } from './reference.ts'
import type { Engine } from '../integration/readModels/driver.ts'

export interface Runs {
  readonly histories: number
  readonly steps: number
  /** How long one property may go on, shrinking a counterexample included. */
  readonly limitMs: number
}

/** With two changes of the clock. */
const LONGEST_DAY_MS = 26 * 3_600_000

export function webNumbers(engine: Engine, { histories: numRuns, steps, limitMs }: Runs): void {
  const many = fc.array(questions, { minLength: 12, maxLength: 12 })

  it('tables, log and a naive count give the same answers', async () => {
    const property = fc.asyncProperty(histories(steps), cuts, many, (history, cut, all) =>
      staged(engine, history, cut, async (stage) => {
        for (const question of all) {
          const range = rangeOf(history, question)
          assertAnswer(history, question, await asked(stage, question, range))
          const zone = history.zones[question.app]!
          const days = [localDate(range.from, zone), localDate(range.to + LONGEST_DAY_MS, zone)] as const
          // Whole local days, which tables answer for every question without a filter.
          assertAnswer(history, question, await asked(stage, question, { days }))
        }
      }),
    )
    await fc.assert(property, { numRuns, interruptAfterTimeLimit: limitMs })
  })

  it('as known earlier, the log answers as it would have then', async () => {
    const property = fc.asyncProperty(histories(steps), fc.array(questions, { minLength: 3, maxLength: 3 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (history, all, share) =>
      staged(engine, history, { foldEvery: 1_000, stretch: 5_000, forgetEvery: 1_000, cellPendingFromBytes: 0 }, async (stage) => {
        for (const question of all) {
          const known = stepsOf(history, stage, question.app, share)
          if (known === undefined) continue
          assertAnswer(history, question, await asked(stage, question, rangeOf(history, question), known.position), known.steps)
        }
      }),
    )
    await fc.assert(property, { numRuns: Math.ceil(numRuns / 2), interruptAfterTimeLimit: limitMs })
  })

  for (const projection of FOLDED) {
    it(`the rows of ${projection.name} do not depend on how the log was cut`, async () => {
      const property = fc.asyncProperty(histories(steps), cuts, cuts, (history, live, rebuilt) =>
        staged(engine, history, live, (stage) => assertRebuilds(stage, projection, rebuilt)),
      )
      await fc.assert(property, { numRuns, interruptAfterTimeLimit: limitMs })
    })
  }
}

/** A moment of the history as a number of steps, and the position of the app's partition that it is. */
function stepsOf(history: History, stage: Stage, app: number, share: number): { steps: number; position: number } | undefined {
  const steps = Math.ceil(share * history.steps.length)
  const partition = stage.driver.log.partitionOf(stage.apps[app]!)
  // Positions of another app of the same partition are moments just as well; of another partition they say nothing.
  let position: number | undefined
  stage.positions.slice(0, steps).forEach((at, index) => {
    if (at !== undefined && stage.driver.log.partitionOf(stage.appOf(index)) === partition) position = at
  })
  return position === undefined ? undefined : { steps, position }
}
