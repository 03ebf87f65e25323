// The one progress bar of all long commands: events, events/s, percent, ETA. Drawn on standard error and only on a
// terminal, so that neither a pipe nor a log file ever holds a half-drawn bar.
import cliProgress from 'cli-progress'

export interface Progress {
  /** `fraction` of the whole, 0 to 1; undefined where it cannot be known. */
  update(events: number, fraction: number | undefined): void
  /** Puts a line above the bar. */
  line(text: string): void
  stop(): void
}

const STEPS = 10_000
const REDRAW_MS = 200

export function createProgress(label: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { update: () => undefined, line: (text) => stream.write(`${text}\n`), stop: () => undefined }
  const startedAt = performance.now()
  const bar = new cliProgress.SingleBar({
    stream,
    hideCursor: true,
    clearOnComplete: false,
    format: (options, params, payload: { events: number; known: boolean }) => {
      const seconds = (performance.now() - startedAt) / 1_000
      const fraction = params.progress
      const rate = seconds > 0 ? payload.events / seconds : 0
      const eta = payload.known && fraction > 0 ? ` | ETA ${duration((seconds * (1 - fraction)) / fraction)}` : ''
      const share = payload.known ? `${cliProgress.Format.BarFormat(fraction, options)} ${(fraction * 100).toFixed(1)} % | ` : ''
      return `${label} ${share}${whole(payload.events)} events | ${whole(rate)} events/s${eta}`
    },
  })
  bar.start(STEPS, 0, { events: 0, known: false })
  let drawnAt = 0
  return {
    update(events, fraction) {
      const now = performance.now()
      if (now - drawnAt < REDRAW_MS && fraction !== 1) return
      drawnAt = now
      bar.update(Math.round((fraction ?? 0) * STEPS), { events, known: fraction !== undefined })
    },
    line(text) {
      stream.write(`\r\u001b[K${text}\n`)
    },
    stop: () => bar.stop(),
  }
}

/** 1,234,567 */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** 7 s, 3 min 20 s, 2 h 5 min */
export function duration(seconds: number): string {
  const left = Math.max(0, Math.round(seconds))
  if (left < 60) return `${left} s`
  if (left < 3_600) return `${Math.floor(left / 60)} min ${left % 60} s`
  return `${Math.floor(left / 3_600)} h ${Math.floor((left % 3_600) / 60)} min`
}
