// Mocha's spec output, and the counts in the file that RECOUNT_TEST_COUNTS names. A test that a failed hook kept from
// running counts as failed: it has proved nothing.
const { writeFileSync } = require('node:fs')
const Mocha = require('mocha')

module.exports = class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once('end', () => {
      const { passes, failures } = this.stats
      const failed = Math.max(failures, runner.total - passes)
      writeFileSync(process.env.RECOUNT_TEST_COUNTS, JSON.stringify({ passed: passes, failed }))
    })
  }
}
