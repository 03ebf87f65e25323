// Who asks what is being asked already waits for the same answer. The work is given up when the last who waits has gone.

interface Flight<T> {
  readonly landing: Promise<T>
  readonly controller: AbortController
  waiting: number
}

export class Flights<T> {
  private readonly under = new Map<string, Flight<T>>()

  /** Rejects with the signal's reason when it aborts, whatever the others wait for. */
  async join(key: string, start: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted()
    const flight = this.under.get(key) ?? this.take(key, start)
    flight.waiting += 1
    if (signal === undefined) return flight.landing
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason as Error)
        flight.waiting -= 1
        if (flight.waiting > 0) return
        if (this.under.get(key) === flight) this.under.delete(key)
        flight.controller.abort(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      flight.landing.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })
  }

  private take(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController()
    const landing = start(controller.signal).finally(() => {
      if (this.under.get(key) === flight) this.under.delete(key)
    })
    // Whoever left does not hear of it any more.
    landing.catch(() => undefined)
    const flight: Flight<T> = { landing, controller, waiting: 0 }
    this.under.set(key, flight)
    return flight
  }
}
