// The only source of the present, so that tests can hold time still or move it. Epoch milliseconds throughout.

export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
