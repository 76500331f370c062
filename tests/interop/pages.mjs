// p2phlssrc: web pages that watch a stream with hls.js and P2P Media Loader.
// SPDX-License-Identifier: LGPL-2.1-or-later
//
//     node pages.mjs --stream URL --tracker ws://… [--pages N] [--stagger MS]
//                    [--swarm-id ID] [--live-sync SEGMENTS]
//
// Each page lives in a browser context of its own. One line of JSON a second
// for each page, and one with "final": true when standard input ends.
import http from 'node:http'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

const here = dirname(fileURLToPath(import.meta.url))
const modules = join(here, 'node_modules')
const { values: options } = parseArgs({
  options: {
    stream: { type: 'string' },
    tracker: { type: 'string' },
    pages: { type: 'string', default: '1' },
    stagger: { type: 'string', default: '2000' },
    'swarm-id': { type: 'string' },
    'live-sync': { type: 'string' },
    chromium: { type: 'string', default: '/usr/bin/chromium' }
  }
})

const files = {
  '/': [join(here, 'page.html'), 'text/html'],
  '/hls.mjs': [join(modules, 'hls.js/dist/hls.mjs'), 'text/javascript'],
  '/core.js': [join(modules, 'p2p-media-loader-core/dist/p2p-media-loader-core.es.min.js'), 'text/javascript'],
  '/hlsjs.js': [join(modules, 'p2p-media-loader-hlsjs/dist/p2p-media-loader-hlsjs.es.min.js'), 'text/javascript']
}

function serve () {
  const server = http.createServer(async (request, response) => {
    const file = files[new URL(request.url, 'http://page').pathname]
    if (!file) return response.writeHead(404).end()
    response.writeHead(200, { 'Content-Type': file[1] })
    response.end(await readFile(file[0]))
  })
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)))
}

const say = line => console.log(JSON.stringify(line))
const server = await serve()
const address = `http://127.0.0.1:${server.address().port}/`
const version = name => createRequire(import.meta.url)(join(modules, name, 'package.json')).version

const browser = await chromium.launch({
  executablePath: options.chromium,
  args: [
    '--no-sandbox', // tests run as root in containers
    '--autoplay-policy=no-user-gesture-required',
    '--mute-audio',
    // Candidates carry this machine's addresses instead of .local names.
    '--disable-features=WebRtcHideLocalIpsWithMdns'
  ]
})
say({
  browser: browser.version(),
  hlsjs: version('hls.js'),
  loader: version('p2p-media-loader-hlsjs')
})

const pages = []
let closing = false

async function open (number) {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.on('pageerror', error => console.error(`page ${number}: ${error.message}`))
  if (process.env.PAGE_LOG) page.on('console', line => console.error(`page ${number}: ${line.text()}`))
  const query = new URLSearchParams({ stream: options.stream, tracker: options.tracker })
  for (const name of ['swarm-id', 'live-sync']) {
    if (options[name]) query.set(name, options[name])
  }
  await page.goto(`${address}?${query}`)
  pages.push(page)
}

async function report (final) {
  for (const [number, page] of pages.entries()) {
    // A page that is just being torn down has nothing more to say.
    const state = await page.evaluate(() => window.report()).catch(() => null)
    if (state) say({ page: number, final, ...state })
  }
}

process.stdin.resume()
process.stdin.on('end', async () => {
  closing = true
  await report(true)
  await browser.close()
  process.exit(0)
})

for (let number = 0; number < Number(options.pages) && !closing; number++) {
  if (number) await new Promise(resolve => setTimeout(resolve, Number(options.stagger)))
  await open(number)
}
while (!closing) {
  await report(false)
  await new Promise(resolve => setTimeout(resolve, 1000))
}
