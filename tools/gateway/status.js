// p2phlssrc: the gateway program's status page.
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What peers and trackers say is text and stays text: textContent only.
'use strict'

const SPAN_MS = 5 * 60 * 1000 // of the timeline
const BAR_MS = 5 * 1000 // what one bar counts
const NARROW = 480 // pixels; below, a bar counts twice as long
const RATE_MS = 10 * 1000 // what a rate is the mean of
const RETRY_MS = 3000 // after a refusal, which EventSource takes for good
const SVG = 'http://www.w3.org/2000/svg'

let samples = [] // [milliseconds, segments over HTTP, from peers]
let recent = [] // the last snapshots, for rates
let cacheSize = 0

const at = id => document.getElementById(id)
const put = (id, text) => { at(id).textContent = text }

// --- words ---------------------------------------------------------------

function inBytes (count) {
  if (count < 1000) return `${count} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let unit = -1
  do {
    count /= 1000
    unit++
  } while (count >= 999.5 && unit < units.length - 1)
  return `${count.toFixed(count < 99.95 ? 1 : 0)} ${units[unit]}`
}

const inBits = bitsPerSecond => bitsPerSecond < 1e6
  ? `${Math.round(bitsPerSecond / 1000)} kbit/s`
  : `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`

// 0 is what has not been measured yet, and less than SCTP measures.
function roundTrip (peer) {
  if (peer['rtt-us'] >= 1000) return `${Math.round(peer['rtt-us'] / 1000)} ms`
  return peer['down-bytes'] + peer['up-bytes'] ? '< 1 ms' : '–'
}

const counted = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`

// --- sums ----------------------------------------------------------------

function rate (stats, name) {
  const first = recent[0]
  const elapsed = stats['time-ms'] - first['time-ms']
  return elapsed > 0 ? (stats[name] - first[name]) * 8000 / elapsed : 0
}

function showSums (stats) {
  const saved = stats['p2p-bytes']
  const all = saved + stats['http-bytes']
  const share = all ? `${(100 * saved / all).toFixed(0)} %` : '–'
  document.title = all ? `${share} saved · p2phls gateway` : 'p2phls gateway'
  put('saved-share', share)
  put('saved-bytes', saved ? inBytes(saved) : 'nothing yet')
  put('p2p-rate', `${inBits(rate(stats, 'p2p-bytes'))} now`)
  put('http-bytes', inBytes(stats['http-bytes']))
  put('http-segments', counted(stats['http-segments'], 'segment'))
  put('http-rate', `${inBits(rate(stats, 'http-bytes'))} now`)
  put('upload-bytes', inBytes(stats['upload-bytes']))
  put('upload-segments', counted(stats['upload-segments'], 'segment'))
  put('upload-rate', `${inBits(rate(stats, 'upload-bytes'))} now`)
  put('peers', stats.peers)
  put('peers-known', `of ${stats['peers-known']} known`)
  put('cache-bytes', inBytes(stats['stored-bytes']))
  put('cache-segments', counted(stats['segments-stored'], 'segment'))
  put('cache-room', `room for ${inBytes(cacheSize)}`)
}

// --- timeline ------------------------------------------------------------

// Segments in each of the latest spans of stepMs, oldest first. Their edges
// are fixed in time, so that bars move and do not change.
function bars (stepMs) {
  const count = SPAN_MS / stepMs
  const list = Array.from({ length: count }, () => ({ http: 0, p2p: 0 }))
  if (!samples.length) return list
  const last = Math.floor(samples[samples.length - 1][0] / stepMs)
  for (let i = 1; i < samples.length; i++) {
    const index = count - 1 - last + Math.floor(samples[i][0] / stepMs)
    if (index < 0) continue
    list[index].http += samples[i][1] - samples[i - 1][1]
    list[index].p2p += samples[i][2] - samples[i - 1][2]
  }
  return list
}

function draw (parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  if (text !== undefined) element.textContent = text
  parent.append(element)
}

function stepFor (most) {
  let step = 1
  for (let i = 0; most / step > 4; i++) step *= [2, 2.5, 2][i % 3]
  return step
}

function drawAxes (plot, box, most, step) {
  for (let value = 0; value <= most; value += step) {
    const y = box.bottom - box.height * value / most
    draw(plot, 'line', { x1: box.left, x2: box.right, y1: y, y2: y })
    draw(plot, 'text', { x: box.left - 6, y: y + 4, 'text-anchor': 'end' }, value)
  }
  for (let minute = 0; minute <= SPAN_MS / 60000; minute++) {
    const x = box.right - box.width * minute * 60000 / SPAN_MS
    draw(plot, 'line', { x1: x, x2: x, y1: box.bottom, y2: box.bottom + 4 })
    draw(plot, 'text', {
      x, y: box.bottom + 18, 'text-anchor': minute ? 'middle' : 'end'
    }, minute ? `−${minute} min` : 'now')
  }
}

function drawBar (plot, box, x, width, bar, scale) {
  const p2p = bar.p2p * scale
  const http = bar.http * scale
  if (p2p) draw(plot, 'rect', { class: 'p2p', x, y: box.bottom - p2p, width, height: p2p })
  // Half a pixel in, where its outline is sharp.
  if (http) {
    draw(plot, 'rect', {
      class: 'http', x: x + 0.5, y: box.bottom - p2p - http + 0.5, width: Math.max(1, width - 1), height: Math.max(1, http - 1)
    })
  }
}

function drawTimeline () {
  const svg = at('timeline')
  const barMs = svg.clientWidth < NARROW ? 2 * BAR_MS : BAR_MS
  const list = bars(barMs)
  const plot = at('plot')
  const highest = Math.max(1, ...list.map(bar => bar.http + bar.p2p))
  const step = stepFor(highest)
  const most = Math.ceil(highest / step) * step
  const box = { left: 34, right: svg.clientWidth - 4, top: 20, bottom: svg.clientHeight - 24 }
  box.width = box.right - box.left
  box.height = box.bottom - box.top
  plot.replaceChildren()
  draw(plot, 'text', { x: 0, y: 11 }, `segments in ${barMs / 1000} seconds`)
  drawAxes(plot, box, most, step)
  const pitch = box.width / list.length
  for (const [index, bar] of list.entries()) {
    drawBar(plot, box, box.left + index * pitch + 0.5, Math.max(1, pitch - 1), bar, box.height / most)
  }
}

function writeTimeline () {
  const list = bars(60 * 1000).reverse()
  const sum = name => list.reduce((total, bar) => total + bar[name], 0)
  put('timeline-text', `Last five minutes: ${counted(sum('p2p'), 'segment')} from other viewers, ${sum('http')} from the CDN.`)
  fill('minutes', list.map((bar, index) => [
    { text: index ? `${index} min ago` : 'this minute' },
    { text: bar.p2p, number: true },
    { text: bar.http, number: true }
  ]))
}

// --- tables --------------------------------------------------------------

// A cell is { text, small, id, error, number }: the first three lines of it,
// and how it looks.
function cellOf (cell) {
  const td = document.createElement('td')
  const main = document.createElement('span')
  main.textContent = cell.text
  if (cell.number) td.className = 'number'
  td.append(main)
  for (const [text, kind] of [[cell.small, ''], [cell.id, 'id'], [cell.error, 'error']]) {
    if (!text) continue
    const small = document.createElement('small')
    small.textContent = text
    small.className = kind
    td.append(small)
  }
  return td
}

// Replaces rows only when they say something else: a selection stays.
function fill (id, rows) {
  const body = at(id)
  const spelled = JSON.stringify(rows)
  if (body.spelled === spelled) return
  body.spelled = spelled
  body.replaceChildren(...rows.map(row => {
    const tr = document.createElement('tr')
    tr.append(...row.map(cellOf))
    return tr
  }))
}

function showTable (id, emptyId, rows) {
  fill(id, rows)
  at(id).closest('table').hidden = !rows.length
  at(emptyId).hidden = rows.length > 0
}

// By the beginning of its id, as BitTorrent clients say who they are.
const programs = { '-GS': 'p2phlssrc', '-PM': 'web page' }
const protocols = { v2: 'P2P Media Loader 2.3 to 4', v3: 'P2P Media Loader 5' }

function trackerState (tracker) {
  if (tracker.state !== 'waiting') return tracker.state === 'connected' ? '✓ connected' : '… connecting'
  return tracker.error ? '✗ tries again later' : '… not asked yet'
}

function showTables (stats) {
  showTable('peer-list', 'no-peers', stats['peer-list'].map(peer => [
    { text: programs[peer.id.slice(0, 3)] ?? 'viewer', small: peer.address, id: peer.id },
    { text: inBytes(peer['down-bytes']), number: true },
    { text: inBytes(peer['up-bytes']), number: true },
    { text: roundTrip(peer), number: true }
  ]))
  showTable('trackers', 'no-trackers', stats.trackers.map(tracker => [
    { text: tracker.url, error: tracker.error },
    { text: trackerState(tracker) }
  ]))
  showTable('swarms', 'no-swarms', stats.swarms.map(swarm => [
    { text: swarm.stream, small: protocols[swarm.protocol], id: swarm['info-hash'] },
    { text: swarm.peers, number: true }
  ]))
  const streams = [...new Set(stats.swarms.map(swarm => swarm.stream))]
  if (streams.length) put('stream', `Shares ${streams.join(', ')}`)
}

// --- events --------------------------------------------------------------

function setLink (state, text) {
  // Said once by a screen reader, not each second.
  if (document.body.dataset.state === state) return
  document.body.dataset.state = state
  put('link', text)
  at('lost').hidden = state !== 'lost'
}

function showSwitches (history) {
  at('switched-off').hidden = history.p2p && history.upload
  put('switched-off', history.p2p
    ? 'Nothing is given to other viewers: upload=false.'
    : 'Sharing is switched off (p2p=false): everything comes from the CDN, and nothing is counted here.')
  if (!history.p2p) put('no-swarms', 'None.')
}

async function copyAddress () {
  await navigator.clipboard.writeText(at('address').textContent)
  put('copy', 'Copied')
}

function onHistory (event) {
  const history = JSON.parse(event.data)
  samples = history.samples
  recent = []
  cacheSize = history['cache-size']
  put('address', history.address)
  showSwitches(history)
}

function onStats (event) {
  const stats = JSON.parse(event.data)
  const now = stats['time-ms']
  const last = samples[samples.length - 1]
  if (!last || now > last[0]) samples.push([now, stats['http-segments'], stats['p2p-segments']])
  while (samples.length && samples[0][0] < now - SPAN_MS - 2 * BAR_MS) samples.shift()
  recent.push(stats)
  while (recent[0]['time-ms'] < now - RATE_MS) recent.shift()
  setLink('live', 'live')
  showSums(stats)
  showTables(stats)
  drawTimeline()
  writeTimeline()
}

function listen () {
  const source = new EventSource('events')
  source.addEventListener('history', onHistory)
  source.addEventListener('stats', onStats)
  source.addEventListener('error', () => {
    setLink('lost', 'no answer')
    if (source.readyState !== EventSource.CLOSED) return
    setTimeout(listen, RETRY_MS)
  })
}

window.addEventListener('resize', drawTimeline)
// Browsers give a clipboard only to pages from this computer or over TLS.
at('copy').hidden = !navigator.clipboard
at('copy').addEventListener('click', copyAddress)
drawTimeline()
listen()
