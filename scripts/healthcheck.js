// For container health checks: ends with 0 when the process in this container answers that it is ready.
const port = process.env.PORT ?? '1055'
const ready = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(4_000) }).then(
  (response) => response.ok,
  () => false,
)
process.exitCode = ready ? 0 : 1
