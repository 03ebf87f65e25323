// One directory for everything a test process leaves on disk, and a reaper that outlives the process: whatever ends it
// (a normal exit, Ctrl-C, a crash, kill -9), the servers started under the directory are killed and the directory goes.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// `cat` ends when the pipe from this process closes, which the kernel sees to however the process ends. A pid is killed only
// while its command line still names the directory, for pids are used again.
const REAPER = `cat >/dev/null
for file in "$1"/*/pid; do
  [ -f "$file" ] || continue
  pid=$(cat "$file")
  if [ ! -d /proc/self ] || grep -qF "$1" "/proc/$pid/cmdline" 2>/dev/null; then kill -9 "$pid" 2>/dev/null; fi
done
for attempt in 1 2 3 4 5; do rm -rf "$1" 2>/dev/null && break; done`

let root: string | undefined
let counter = 0

/** A new empty directory (and a path that nobody else uses) that vanishes with this process. */
export function scratchDirectory(name: string): string {
  if (root === undefined) {
    root = mkdtempSync(join(tmpdir(), 'recount-test-'))
    const reaper = spawn('/bin/sh', ['-c', REAPER, 'reaper', root], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    reaper.unref()
    const pipe = reaper.stdin as typeof reaper.stdin & { unref?: () => void }
    pipe.unref?.()
  }
  counter += 1
  const directory = join(root, `${name}-${counter}`)
  mkdirSync(directory)
  return directory
}
