// The formats by name.
import { LIMITS } from '../../limits.ts'
import { combinedReader } from './accessLog.ts'
import { csvReader } from './csv.ts'
import { jsonlReader } from './jsonl.ts'
import type { RowReader } from './row.ts'
import { tsvReader } from './tsv.ts'

export const FORMATS = ['combined', 'jsonl', 'csv', 'tsv'] as const
export type Format = (typeof FORMATS)[number]

export function createReader(format: Format, options: { readonly delimiter: string; readonly site: string | undefined }): RowReader {
  switch (format) {
    case 'combined':
      return combinedReader(options.site)
    case 'jsonl':
      return jsonlReader()
    case 'csv':
      return csvReader(options.delimiter, { maxLines: LIMITS.csvRecordLines, maxBytes: LIMITS.importLineBytes })
    case 'tsv':
      return tsvReader()
  }
}
