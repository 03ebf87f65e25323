// CSV that other programs read back as it was, and that no spreadsheet takes for formulas.
import assert from 'node:assert/strict'
import { csvRecord } from '../../../src/kernel/csvText.ts'

describe('CSV', () => {
  it('quotes text, doubles quotes, and leaves numbers and nothing as they are', () => {
    assert.equal(csvRecord(['a', 1, null, 'b, "c"\r\nd', '']), '"a",1,,"b, ""c""\r\nd",""\r\n')
    assert.equal(csvRecord([-1]), '-1\r\n')
  })

  it('puts an apostrophe before whatever a spreadsheet would calculate', () => {
    const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '\tx', ' =1', '\u00A0=1', '＝1', '＋1', '－1', '＠1', '=HYPERLINK("http://x","y")']
    for (const text of formulas) assert.ok(csvRecord([text]).startsWith(`"'${text[0]!}`), JSON.stringify(text))
    for (const text of ["it's", 'a=1', '1-2', '{"a":"=1"}', 'ann@x.example']) assert.ok(!csvRecord([text]).includes(`"'`), text)
  })
})
