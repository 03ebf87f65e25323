// Which partition an app lives in. The hash is part of the store: changing it would split every app's history in two.
import { NIL_UUID } from '../kernel/ids.ts'

/** Accounts, apps and keys. */
export const CONTROL_PARTITION = 0

/** 1…partitions for an app; the control partition for what belongs to no app. */
export function partitionOf(appId: string, partitions: number): number {
  if (appId === NIL_UUID) return CONTROL_PARTITION
  // FNV-1a, then the finalizer of MurmurHash3, because FNV alone leaves the low bits of similar ids alike.
  let hash = 0x811c9dc5
  for (let index = 0; index < appId.length; index++) hash = Math.imul(hash ^ appId.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (((hash ^ (hash >>> 16)) >>> 0) % partitions) + 1
}
