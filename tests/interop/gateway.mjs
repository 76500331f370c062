// p2phlssrc: Chromium plays what the gateway program offers, and looks at its
// status page, at a desk in the light and on a phone in the dark.
// SPDX-License-Identifier: LGPL-2.1-or-later
//
//     node gateway.mjs --stream URL --status URL [--live-sync SEGMENTS]
//                      [--orders ORDER,…] [--screenshot NAME]
//
// One line of JSON a second: what the player does, and what both status pages
// show. When standard input ends, pictures are taken: NAME.png, NAME-dark.png
// and NAME-phone.png.
import http from 'node:http'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

const here = dirname(fileURLToPath(import.meta.url))
const { values: options } = parseArgs({
  options: {
    stream: { type: 'string' },
    status: { type: 'string' },
    'live-sync': { type: 'string' },
    orders: { type: 'string' },
    screenshot: { type: 'string' },
    chromium: { type: 'string', default: '/usr/bin/chromium' }
  }
})
const files = {
  '/': [join(here, 'player.html'), 'text/html'],
  '/hls.mjs': [join(here, 'node_modules/hls.js/dist/hls.mjs'), 'text/javascript']
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

// Runs in the status page.
function look () {
  const text = id => document.getElementById(id).textContent
  const rows = id => [...document.querySelectorAll(`#${id} tr`)].map(row => [...row.cells].map(cell => cell.textContent).join(' | '))
  const root = document.documentElement
  return {
    link: document.body.dataset.state,
    notices: [...document.querySelectorAll('.notice:not([hidden])')].map(notice => notice.textContent),
    copied: text('copy'),
    title: document.title,
    share: text('saved-share'),
    saved: text('saved-bytes'),
    given: text('upload-bytes'),
    cache: `${text('cache-bytes')}, ${text('cache-segments')}, ${text('cache-room')}`,
    timeline: text('timeline-text'),
    'p2p-bars': document.querySelectorAll('#plot .p2p').length,
    'http-bars': document.querySelectorAll('#plot .http').length,
    minutes: rows('minutes'),
    peers: rows('peer-list'),
    trackers: rows('trackers'),
    swarms: rows('swarms'),
    'too-wide': root.scrollWidth > root.clientWidth,
    background: getComputedStyle(document.body).backgroundColor
  }
}

const say = line => console.log(JSON.stringify(line))
const server = await serve()
const browser = await chromium.launch({
  executablePath: options.chromium,
  args: [
    '--no-sandbox', // tests run as root in containers
    '--autoplay-policy=no-user-gesture-required',
    '--mute-audio'
  ]
})
const complaints = []

async function open (name, address, settings) {
  const page = await (await browser.newContext(settings)).newPage()
  page.on('pageerror', error => complaints.push(`${name}: ${error.message}`))
  // What the policy forbids is told here, too.
  page.on('console', line => { if (line.type() === 'error') complaints.push(`${name}: ${line.text()}`) })
  await page.goto(address)
  return page
}

const desk = await open('desk', options.status, {
  viewport: { width: 900, height: 700 }, colorScheme: 'light', deviceScaleFactor: 1.5, permissions: ['clipboard-write']
})
const phone = await open('phone', options.status, {
  viewport: { width: 390, height: 844 }, colorScheme: 'dark', deviceScaleFactor: 1.5
})
const query = new URLSearchParams({ stream: options.stream })
for (const name of ['live-sync', 'orders']) {
  if (options[name]) query.set(name, options[name])
}
const player = await open('player', `http://127.0.0.1:${server.address().port}/?${query}`)
await desk.click('#copy')

async function takePictures (name) {
  const fullPage = true
  await desk.screenshot({ path: `${name}.png`, fullPage })
  await desk.emulateMedia({ colorScheme: 'dark' })
  await desk.screenshot({ path: `${name}-dark.png`, fullPage })
  await phone.screenshot({ path: `${name}-phone.png` })
}

let closing = false
process.stdin.resume()
process.stdin.on('end', async () => {
  closing = true
  if (options.screenshot) await takePictures(options.screenshot)
  await browser.close()
  process.exit(0)
})
while (!closing) {
  // A page that is just being torn down has nothing more to say.
  const states = await Promise.all([
    player.evaluate(() => window.report()), desk.evaluate(look), phone.evaluate(look)
  ]).catch(() => null)
  if (states) say({ player: states[0], desk: states[1], phone: states[2], complaints })
  await new Promise(resolve => setTimeout(resolve, 1000))
}
