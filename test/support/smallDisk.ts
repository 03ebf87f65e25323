// A small disk for one server, that a test may fill to its last byte and free again: a tmpfs in a mount namespace of its own,
// held by a process that ends with this one, so that nothing stays mounted whatever ends the test. Where neither root nor user
// namespaces may mount, the limit on the size of a file stands in: the server's files cannot grow beyond the largest of them.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface SmallDisk {
  /** `limit`: no disk, but the bound on the size of each file of the server. */
  readonly kind: 'tmpfs' | 'limit'
  /** Where the server finds its directory, and where this process does. */
  readonly inside: string
  readonly outside: string
  /** The server believes that it is root, whoever runs it. */
  readonly asRoot: boolean
  /** The same command, run where the disk is. */
  command(binary: string, args: readonly string[]): { binary: string; args: readonly string[] }
  /** Takes every byte that is left; `pid` is the server's. */
  fill(pid: number): Promise<void>
  free(pid: number): Promise<void>
}

const execute = promisify(execFile)
const zeros = Buffer.alloc(4_000_000)
const HOLD = 'mount -t tmpfs -o size="$2" tmpfs "$1" && echo mounted && exec cat'
const AS_ROOT = ['--mount'] as const
const AS_USER = ['--user', '--map-root-user', '--mount'] as const

/** An empty disk of so many bytes at this path, which must not exist yet. */
export async function openSmallDisk(path: string, diskBytes: number): Promise<SmallDisk> {
  mkdirSync(path)
  for (const flags of [AS_ROOT, AS_USER]) {
    const holder = await hold(flags, path, diskBytes)
    if (holder !== undefined) return tmpfs(path, holder, flags === AS_USER)
  }
  return fileSizeLimit(path)
}

/** The process in whose namespace the disk is mounted; undefined where that is not permitted. */
async function hold(flags: readonly string[], path: string, diskBytes: number): Promise<number | undefined> {
  const child = spawn('unshare', [...flags, 'sh', '-c', HOLD, 'disk', path, String(diskBytes)], { stdio: ['pipe', 'pipe', 'ignore'] })
  const mounted = once(child.stdout, 'data').then(() => child.pid)
  const failed = Promise.race([once(child, 'error'), once(child, 'exit')]).then(() => undefined)
  const pid = await Promise.race([mounted, failed.catch(() => undefined)])
  child.unref()
  for (const pipe of [child.stdin, child.stdout] as { unref?: () => void }[]) pipe.unref?.()
  return pid
}

function tmpfs(path: string, holder: number, asUser: boolean): SmallDisk {
  const outside = `/proc/${holder}/root${path}`
  const rival = join(outside, 'rival')
  const enter = ['--target', String(holder), '--mount', ...(asUser ? ['--user', '--preserve-credentials'] : []), '--']
  return {
    ...{ kind: 'tmpfs', inside: path, outside, asRoot: asUser || process.getuid?.() === 0 },
    command: (binary, args) => ({ binary: 'nsenter', args: [...enter, binary, ...args] }),
    async fill() {
      const file = await open(rival, 'a')
      try {
        for (let bytes = zeros.length; bytes >= 1; ) {
          const took = await file.write(zeros.subarray(0, bytes)).catch((error: unknown) => {
            if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return undefined
            throw error
          })
          if (took === undefined) bytes = bytes === 1 ? 0 : Math.ceil(bytes / 16)
        }
      } finally {
        await file.close()
      }
    },
    free: () => rm(rival, { force: true }),
  }
}

function fileSizeLimit(path: string): SmallDisk {
  const limit = async (pid: number, bytes: string): Promise<void> => {
    await execute('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
  }
  return {
    ...{ kind: 'limit', inside: path, outside: path, asRoot: process.getuid?.() === 0 },
    // A file that would grow beyond its limit is a signal first, and an error only to who ignores that.
    command: (binary, args) => ({ binary: '/bin/sh', args: ['-c', `trap '' XFSZ; exec "$0" "$@"`, binary, ...args] }),
    fill: (pid) => limit(pid, String(largestFile(path))),
    free: (pid) => limit(pid, 'unlimited'),
  }
}

function largestFile(directory: string): number {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name))
  return Math.max(...files.filter((file) => existsSync(file)).map((file) => statSync(file).size))
}
