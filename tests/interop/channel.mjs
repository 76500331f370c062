// p2phlssrc: one end of a data channel by node-datachannel.
// SPDX-License-Identifier: LGPL-2.1-or-later
//
//     node channel.mjs offer|answer [--send BYTES] [--expect BYTES]
//                      [--message BYTES] [--plain]
//
// Options, lines and messages are those of channel.c.
import readline from 'node:readline'
import { parseArgs } from 'node:util'
import nodeDataChannel from 'node-datachannel'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    send: { type: 'string', default: '0' },
    expect: { type: 'string', default: '0' },
    message: { type: 'string', default: '65535' },
    plain: { type: 'boolean', default: false }
  }
})
const offerer = positionals[0] === 'offer'
const toSend = Number(options.send)
const toExpect = Number(options.expect)
const messageBytes = Number(options.message)
// What keeps this library busiest: much waiting, and early warning.
const HIGH = 4 * 1024 * 1024
const LOW = 1024 * 1024

const pattern = Buffer.alloc(messageBytes)
for (let i = 0; i < messageBytes; i++) pattern[i] = i & 0xff
const say = line => console.log(JSON.stringify(line))

let channel = null
let sent = 0
let sentMessages = 0
let received = 0
let receivedMessages = 0
let bad = 0
let began = 0
let going = false

function sendMore () {
  if (!going || sent >= toSend) return
  while (sent < toSend) {
    let message = pattern
    const length = Math.max(4, Math.min(messageBytes, toSend - sent))
    if (!options.plain || length < messageBytes) {
      message = Buffer.from(pattern.subarray(0, length))
      message.writeUInt32BE(sentMessages)
    }
    channel.sendMessageBinary(message)
    sent += message.length
    sentMessages++
    if (channel.bufferedAmount() >= HIGH) break
  }
  if (sent >= toSend) say({ sent })
}

function receive (message) {
  if (!receivedMessages) began = performance.now()
  if (!options.plain &&
      (message.readUInt32BE() !== receivedMessages ||
       pattern.compare(message, 4, message.length, 4, message.length))) bad++
  receivedMessages++
  received += message.length
  if (toExpect && received >= toExpect && received - message.length < toExpect) {
    say({ received, bad, seconds: (performance.now() - began) / 1000 })
  }
}

function take (opened) {
  channel = opened
  channel.setBufferedAmountLowThreshold(LOW)
  channel.onBufferedAmountLow(sendMore)
  channel.onMessage(message => receive(Buffer.from(message)))
  channel.onClosed(() => say({ closed: 'channel closed' }))
  channel.onOpen(() => say({ open: true }))
}

const peer = new nodeDataChannel.PeerConnection('peer', { iceServers: [] })
// Gathering may be complete before its own threads have set ICE up; an answer
// that comes in between is refused, and the connection spoilt.
peer.onGatheringStateChange(state => {
  if (state === 'complete') setTimeout(() => say({ sdp: peer.localDescription().sdp }), 100)
})
peer.onDataChannel(opened => {
  take(opened)
  if (opened.isOpen()) say({ open: true })
})
if (offerer) take(peer.createDataChannel('webtorrent'))

const input = readline.createInterface({ input: process.stdin })
input.on('line', line => {
  const order = JSON.parse(line)
  if (order.sdp) peer.setRemoteDescription(order.sdp, offerer ? 'answer' : 'offer')
  if (order.close) channel.close()
  if (order.go) {
    going = true
    sendMore()
  }
})
input.on('close', () => {
  peer.close()
  nodeDataChannel.cleanup()
  process.exit(0)
})
