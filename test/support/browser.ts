// A real browser for tests: the Chromium of the machine, driven by playwright-core, which downloads none.
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'
import { findProgram } from './serverProcess.ts'

export async function startBrowser(): Promise<Browser> {
  const executablePath = process.env['TEST_CHROMIUM'] ?? findProgram('chromium', 'chromium-browser', 'google-chrome')
  if (executablePath === undefined) throw new Error('Chromium is needed: apt-get install chromium, or set TEST_CHROMIUM')
  // Its sandbox needs rights that root in a container lacks; the pages are our own.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}
