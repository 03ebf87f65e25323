// What most would write: Express 5 with express.json() that answers 202, in a process of its own.
import type { AddressInfo } from 'node:net'
import express from 'express'

const app = express()
app.use(express.json({ limit: '1mb' }))
app.post('/collect', (_req, res) => {
  res.status(202).json({ accepted: 1, ids: ['0190a0c2-0000-7000-8000-00000000000a'], rejected: [] })
})
const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
