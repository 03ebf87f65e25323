// Divides units of a rebuild among threads, by what folding them costs. The units of a partition stay together, because those
// who fold one partition in one thread read each page of the log once; only a partition that is more than a thread's share is
// divided, and read once by each thread that has a part in it.

export interface CostlyUnit {
  readonly projection: string
  readonly partition: number
  /** In any measure, as long as it is one for all. */
  readonly cost: number
}

/** At most `threads` shares, none of them empty; every unit is in one of them. */
export function spread<U extends CostlyUnit>(units: readonly U[], threads: number): U[][] {
  const fair = sum(units) / threads
  const bundles: U[][] = []
  for (const partition of new Set(units.map((unit) => unit.partition))) {
    const bundle = units.filter((unit) => unit.partition === partition)
    if (sum(bundle) <= fair * TOLERATED) bundles.push(bundle)
    else for (const unit of bundle) bundles.push([unit])
  }
  const shares = Array.from({ length: threads }, (): { units: U[]; cost: number } => ({ units: [], cost: 0 }))
  for (const bundle of bundles.sort((left, right) => sum(right) - sum(left))) {
    const least = shares.reduce((found, share) => (share.cost < found.cost ? share : found))
    least.units.push(...bundle)
    least.cost += sum(bundle)
  }
  // What costs nothing is no reason for a thread.
  const busy = shares.filter(({ cost }) => cost > 0)
  const idle = shares.filter(({ cost }) => cost === 0).flatMap((share) => share.units)
  if (busy.length === 0) return idle.length === 0 ? [] : [idle]
  busy[0]!.units.push(...idle)
  return busy.map((share) => share.units)
}

/** Of a fair share: a little more in one thread costs less than reading the partition twice. */
const TOLERATED = 1.2

function sum(units: readonly CostlyUnit[]): number {
  return units.reduce((total, { cost }) => total + cost, 0)
}
