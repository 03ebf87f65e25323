// Faults of stores, network and clocks. Each is one file's concern in test/faults/storeFaults/.
import type { Fault } from './support/fault.ts'
import { cacheFilling } from './storeFaults/cache.ts'
import { CLOCK_FAULTS } from './storeFaults/clocks.ts'
import { MARIADB_FAULTS } from './storeFaults/mariadb.ts'
import { NETWORK_FAULTS } from './storeFaults/network.ts'
import { poison } from './storeFaults/poison.ts'
import { switched } from './storeFaults/rebuilds.ts'
import { REDIS_FAULTS } from './storeFaults/redis.ts'

export const STORE_FAULTS: readonly Fault[] = [...REDIS_FAULTS, cacheFilling, ...MARIADB_FAULTS, poison, switched, ...NETWORK_FAULTS, ...CLOCK_FAULTS]
