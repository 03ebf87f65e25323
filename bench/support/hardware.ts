// What a result was measured on: without it no number of another day can be compared.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { findProgram } from '../../test/support/serverProcess.ts'

export interface Hardware {
  readonly cores: number
  readonly model: string
  readonly memoryGb: number
  readonly os: string
  readonly node: string
  readonly mariadb: string
  readonly redis: string
  /** Of git, with + where files differ from it. */
  readonly revision: string
}

export function hardware(): Hardware {
  return {
    cores: availableParallelism(),
    model: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: osName(),
    node: process.version,
    mariadb: version(findProgram('mariadbd', 'mysqld'), /Ver (\S+)/),
    redis: version(findProgram('redis-server', 'valkey-server'), /v=(\S+)/),
    revision: revision(),
  }
}

export function hardwareLine({ cores, model, memoryGb, os, node, mariadb, redis, revision: at }: Hardware): string {
  return `${cores} cores, ${model}, ${memoryGb} GB, ${os}, Node ${node}, MariaDB ${mariadb}, Redis ${redis}, revision ${at}`
}

/** Over one minute: what else was at work. */
export function loadAverage(): number {
  return Math.round(loadavg()[0]! * 100) / 100
}

function osName(): string {
  try {
    return /^PRETTY_NAME="(.+)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? release()
  } catch {
    return release()
  }
}

function version(program: string | undefined, pattern: RegExp): string {
  if (program === undefined) return 'none'
  return pattern.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'
}

function revision(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}
