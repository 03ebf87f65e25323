export function eventLogConcurrency(_engine: string, _freshUrl: () => Promise<string>): void {}
