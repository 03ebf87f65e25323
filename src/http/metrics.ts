// What operators watch, in Prometheus' words, with no label that grows with apps or users. The hot path counts in plain
// numbers; the registry reads them only when it is scraped.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface CollectCounts {
  accepted: number
  rejected: number
  duplicates: number
}

export interface MetricSources {
  /** What waits between /collect and the log. */
  queueDepth?: () => Promise<{ readonly packs: number | undefined; readonly pendingBytes: number }>
  /** Events in the log that a projection has not counted yet, by its name. */
  lagByProjection?: () => ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>
}

export interface Metrics {
  readonly registry: Registry
  /** Counted up by the fast path. */
  readonly collect: CollectCounts
  collected(status: number, seconds: number): void
  observe(method: string, route: string, status: number, seconds: number): void
}

const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics(sources: MetricSources = {}): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const collect: CollectCounts = { accepted: 0, rejected: 0, duplicates: 0 }
  for (const name of ['accepted', 'rejected', 'duplicates'] as const) {
    new Counter({
      name: `recount_collect_events_${name}_total`,
      help: `Events ${name === 'duplicates' ? 'that were stored before (ack=stored)' : `${name} by /collect`}`,
      registers,
      collect() {
        this.reset()
        this.inc(collect[name])
      },
    })
  }
  const durations = new Histogram({
    name: 'recount_http_request_duration_seconds',
    help: 'From the request to the end of its answer, by route template',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_SECONDS,
    registers,
  })
  gauges(sources, registers)
  return {
    registry,
    collect,
    collected: collectTimes(registry),
    observe: (method, route, status, seconds) => durations.observe({ method, route, status: String(status) }, seconds),
  }
}

function gauges(sources: MetricSources, registers: Registry[]): void {
  const { queueDepth, lagByProjection } = sources
  if (queueDepth !== undefined) queueGauges(queueDepth, registers)
  if (lagByProjection !== undefined) {
    new Gauge({
      name: 'recount_projection_lag_events',
      help: 'Events in the log that a projection has not counted yet',
      labelNames: ['projection'],
      registers,
      async collect() {
        for (const [projection, lag] of await lagByProjection()) this.set({ projection }, lag)
      },
    })
  }
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory size in bytes',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
}

function queueGauges(queueDepth: NonNullable<MetricSources['queueDepth']>, registers: Registry[]): void {
  new Gauge({
    name: 'recount_queue_pending_bytes',
    help: 'Bytes of events that wait in this process for their hand-over',
    registers,
    async collect() {
      this.set((await queueDepth()).pendingBytes)
    },
  })
  new Gauge({
    name: 'recount_queue_packs',
    help: 'Packs of events handed over and not yet committed to the log; absent while the queue cannot be asked',
    registers,
    async collect() {
      const { packs } = await queueDepth()
      if (packs === undefined) this.remove()
      else this.set(packs)
    },
  })
}

/** A histogram for the hot path: prom-client hashes its labels at every observation, which costs more than the rest. */
function collectTimes(registry: Registry): Metrics['collected'] {
  const series = new Map<number, { counts: number[]; sum: number; count: number }>()
  const name = 'recount_collect_duration_seconds'
  const get = (): unknown => ({
    name,
    help: 'From a /collect request to its answer',
    type: 'histogram',
    aggregator: 'sum',
    values: [...series].flatMap(([code, { counts, sum, count }]) => {
      const status = String(code)
      let below = 0
      const buckets = BUCKETS_SECONDS.map((le, at) => {
        below += counts[at]!
        return { metricName: `${name}_bucket`, labels: { le, status }, value: below }
      })
      return [
        ...buckets,
        { metricName: `${name}_bucket`, labels: { le: '+Inf', status }, value: count },
        { metricName: `${name}_sum`, labels: { status }, value: sum },
        { metricName: `${name}_count`, labels: { status }, value: count },
      ]
    }),
  })
  registry.registerMetric({ name, get: () => Promise.resolve(get()), reset: () => series.clear() } as unknown as Histogram)
  return (status, seconds) => {
    let times = series.get(status)
    if (times === undefined) series.set(status, (times = { counts: BUCKETS_SECONDS.map(() => 0), sum: 0, count: 0 }))
    times.sum += seconds
    times.count += 1
    let at = 0
    while (at < BUCKETS_SECONDS.length && seconds > BUCKETS_SECONDS[at]!) at++
    if (at < BUCKETS_SECONDS.length) times.counts[at]! += 1
  }
}
