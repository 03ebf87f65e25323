// The ceiling: node:http that parses the body and answers 202, in a process of its own.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const server = createServer((req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString())
    res.writeHead(202, { 'content-type': 'application/json' })
    res.end('{"accepted":1,"ids":["0190a0c2-0000-7000-8000-00000000000a"],"rejected":[]}')
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
