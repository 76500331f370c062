// p2phlssrc: npm's own WebTorrent tracker, on a port of the system's choice.
// SPDX-License-Identifier: LGPL-2.1-or-later
//
//     node tracker.mjs [port [address]]
//
// prints {"url": "ws://127.0.0.1:PORT"}, of that address
//
// Ends with its standard input, so that no test leaves one behind.
import Server from 'bittorrent-tracker/server'

const server = new Server({ udp: false, http: false, ws: true, stats: false })

server.on('error', error => {
  console.error(`tracker: ${error.message}`)
  process.exit(1)
})
server.on('warning', error => console.error(`tracker: ${error.message}`))
const host = process.argv[3] ?? '127.0.0.1'
server.listen(Number(process.argv[2] ?? 0), host, () => {
  const { port } = server.ws.address()
  console.log(JSON.stringify({ url: `ws://${host}:${port}` }))
})

process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
