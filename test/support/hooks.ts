// What every mocha process does around its tests.
import { stopSharedServers } from './servers.ts'

export const mochaHooks = {
  async afterAll(): Promise<void> {
    await stopSharedServers()
  },
}
