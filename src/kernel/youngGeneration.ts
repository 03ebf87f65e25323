// Loading a program makes V8 double its young generation again and again, and a process at rest would hold those 30 MB for ever.
// So it stays as small as it begins while modules load, and may grow when there is work that fills it.
import { setFlagsFromString } from 'node:v8'

/** After the process is ready: by then the modules of its threads are loaded, too. */
const SETTLED_MS = 10_000

/** To be called before the program is imported. */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/** To be called once the process is ready. */
export function letYoungGenerationGrow(): void {
  setTimeout(() => setFlagsFromString('--semi-space-growth-factor=2'), SETTLED_MS).unref()
}
