// p2phlssrc: a stranger in the swarm that breaks every rule of the protocol.
// SPDX-License-Identifier: LGPL-2.1-or-later
//
//     node hostile.mjs --tracker ws://… --info-hash HASH --stream URL
//                      --habit NAME
//
// A Chromium page with nothing but RTCPeerConnection joins the swarm, and on
// each data channel does what its habit says (see the table in hostile.html).
// Prints {"connected": n, "closed": n, "sent": n} as that changes.
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

const { values: options } = parseArgs({
  options: {
    tracker: { type: 'string' },
    'info-hash': { type: 'string' },
    stream: { type: 'string' },
    habit: { type: 'string' },
    chromium: { type: 'string', default: '/usr/bin/chromium' }
  }
})

const page = await readFile(join(dirname(fileURLToPath(import.meta.url)), 'hostile.html'))
const server = http.createServer((_, response) =>
  response.writeHead(200, { 'Content-Type': 'text/html' }).end(page))
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

const browser = await chromium.launch({
  executablePath: options.chromium,
  args: ['--no-sandbox', '--disable-features=WebRtcHideLocalIpsWithMdns']
})
process.stdin.resume()
process.stdin.on('end', async () => {
  await browser.close()
  process.exit(0)
})

const tab = await browser.newPage()
tab.on('pageerror', error => console.error(`hostile: ${error.message}`))
await tab.exposeFunction('say', line => console.log(JSON.stringify(line)))
await tab.goto(`http://127.0.0.1:${server.address().port}/?` + new URLSearchParams({
  tracker: options.tracker, hash: options['info-hash'], habit: options.habit, stream: options.stream
}))
