// p2phlssrc: one end of a data channel by Chromium.
// SPDX-License-Identifier: LGPL-2.1-or-later
//
//     node chromium.mjs offer|answer [--send BYTES] [--expect BYTES]
//                       [--message BYTES] [--mdns] [--chromium PATH]
//
// Options, lines and messages are those of channel.c. With --mdns host
// candidates carry .local names, as they do for pages without a camera.
import http from 'node:http'
import readline from 'node:readline'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    send: { type: 'string', default: '0' },
    expect: { type: 'string', default: '0' },
    message: { type: 'string', default: '65535' },
    plain: { type: 'boolean', default: false },
    mdns: { type: 'boolean', default: false },
    chromium: { type: 'string', default: '/usr/bin/chromium' }
  }
})
const say = line => console.log(JSON.stringify(line))

// Runs in the page.
function channelEnd (settings) {
  const HIGH = 1024 * 1024
  const LOW = 256 * 1024
  const pattern = new Uint8Array(settings.messageBytes)
  for (let i = 0; i < pattern.length; i++) pattern[i] = i & 0xff
  let channel = null
  let sent = 0
  let sentMessages = 0
  let received = 0
  let receivedMessages = 0
  let bad = 0
  let began = 0

  function sendMore () {
    while (sent < settings.send && channel.bufferedAmount < HIGH) {
      const length = Math.max(4, Math.min(settings.messageBytes, settings.send - sent))
      const message = pattern.slice(0, length)
      new DataView(message.buffer).setUint32(0, sentMessages)
      channel.send(message)
      sent += length
      sentMessages++
      if (sent >= settings.send) window.say({ sent })
    }
  }

  function good (message) {
    if (message.length < 4 || message.length > pattern.length ||
        new DataView(message.buffer).getUint32(0) !== receivedMessages) return false
    for (let i = 4; i < message.length; i++) if (message[i] !== pattern[i]) return false
    return true
  }

  function receive (event) {
    const message = new Uint8Array(event.data)
    if (!receivedMessages) began = performance.now()
    if (!settings.plain && !good(message)) bad++
    receivedMessages++
    received += message.length
    if (settings.expect && received >= settings.expect &&
        received - message.length < settings.expect) {
      window.say({ received, bad, seconds: (performance.now() - began) / 1000 })
    }
  }

  function take (opened) {
    channel = opened
    channel.binaryType = 'arraybuffer'
    channel.bufferedAmountLowThreshold = LOW
    channel.onbufferedamountlow = sendMore
    channel.onmessage = receive
    channel.onclose = () => window.say({ closed: 'channel closed' })
    channel.onopen = () => window.say({ open: true })
    if (channel.readyState === 'open') window.say({ open: true })
  }

  const peer = new RTCPeerConnection()
  peer.ondatachannel = event => take(event.channel)
  peer.onicegatheringstatechange = () => {
    if (peer.iceGatheringState === 'complete') {
      window.say({ sdp: peer.localDescription.sdp })
    }
  }
  window.order = async order => {
    if (order.go) sendMore()
    if (order.close) channel.close()
    if (!order.sdp) return
    await peer.setRemoteDescription({ type: settings.offerer ? 'answer' : 'offer', sdp: order.sdp })
    if (!settings.offerer) await peer.setLocalDescription()
  }
  if (settings.offerer) {
    take(peer.createDataChannel('webtorrent'))
    peer.setLocalDescription()
  }
}

const server = http.createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html' })
  response.end('<!doctype html><title>channel</title>')
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

// A fresh profile each time, thrown away at the end.
const browser = await chromium.launch({
  executablePath: options.chromium,
  args: [
    '--no-sandbox', // tests run as root in containers
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    ...(options.mdns ? [] : ['--disable-features=WebRtcHideLocalIpsWithMdns'])
  ]
})
const page = await browser.newPage()
page.on('pageerror', error => console.error(error.message))
await page.exposeFunction('say', say)
await page.goto(`http://127.0.0.1:${server.address().port}/`)

const input = readline.createInterface({ input: process.stdin })
input.on('line', line => page.evaluate(order => window.order(order), JSON.parse(line)))
input.on('close', async () => {
  await browser.close()
  process.exit(0)
})
say({ browser: browser.version() })
await page.evaluate(channelEnd, {
  offerer: positionals[0] === 'offer',
  send: Number(options.send),
  expect: Number(options.expect),
  messageBytes: Number(options.message),
  plain: options.plain
})
