// A preload that moves the wall clock of the process it is loaded into: what it reads as Date.now() and new Date() is so much
// ahead of (or behind) the machine's. Time that only passes (performance.now(), timers) goes on as it was, as it does when
// somebody sets a clock.
import cluster from 'node:cluster'
import { isMainThread } from 'node:worker_threads'
import type { ControlAnswer, ControlMessage } from './fault.ts'

if (isMainThread && cluster.isPrimary) {
  let aheadMs = 0
  const RealDate = Date
  const realNow = RealDate.now.bind(RealDate)
  const now = (): number => realNow() + aheadMs
  RealDate.now = now
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, values, newTarget) => Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget) as Date,
    apply: () => new RealDate(now()).toString(),
  })
  process.on('message', (message: ControlMessage) => {
    if (message.kind !== 'clock') return
    aheadMs = message.aheadMs
    const answer: ControlAnswer = { kind: 'done', of: 'clock' }
    process.send?.(answer)
  })
  process.channel?.unref()
}
