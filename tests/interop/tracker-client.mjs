// p2phlssrc: bittorrent-tracker's client, two of them, at our tracker.
// SPDX-License-Identifier: LGPL-2.1-or-later
//
//     node tracker-client.mjs path/to/p2phls-tracker
//
// They must find each other, count and leave, in a swarm whose info hash
// is binary as those of the oldest clients are.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { register } from 'node:module'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { strict as assert } from 'node:assert'

// A WebRTC that only describes itself: this is about who hears of whom, and the
// client's own would need a binary that npm does not bring.
const rtc = 'data:text/javascript,' + encodeURIComponent(`
  let made = 0
  export class RTCPeerConnection {
    iceGatheringState = 'complete'
    iceConnectionState = 'new'
    signalingState = 'stable'
    connectionState = 'new'
    createDataChannel () { return { close () {} } }
    async createOffer () { return { type: 'offer', sdp: 'offer ' + made++ } }
    async createAnswer () {
      return { type: 'answer', sdp: 'answer to ' + this.remoteDescription.sdp }
    }
    async setLocalDescription (description) {
      this.localDescription = description
      queueMicrotask(() => this.onicecandidate?.({ candidate: null }))
    }
    async setRemoteDescription (description) {
      this.remoteDescription = description
    }
    async getStats () { return [] }
    close () {}
  }
  export class RTCSessionDescription {
    constructor (from) { Object.assign(this, from) }
  }
  export class RTCIceCandidate {
    constructor (from) { Object.assign(this, from) }
  }
  export default { RTCPeerConnection, RTCSessionDescription, RTCIceCandidate }`)
register('data:text/javascript,' + encodeURIComponent(`
  export const resolve = (name, context, next) =>
    name === 'webrtc-polyfill'
      ? { url: ${JSON.stringify(rtc)}, shortCircuit: true }
      : next(name, context)`))
const { default: Client } = await import('bittorrent-tracker')

const TIMEOUT_MS = 30000
const INFO_HASH = Buffer.from('00ff22800a5c' + '41'.repeat(14), 'hex')

const tracker = spawn(process.argv[2], ['--port=0', '--interval=60'],
  { stdio: ['ignore', 'pipe', 'inherit'] })
process.on('exit', () => tracker.kill())
setTimeout(TIMEOUT_MS, undefined, { ref: false }).then(() => {
  console.error('no end in sight')
  process.exit(1)
})
const [url] = await once(createInterface({ input: tracker.stdout }), 'line')
console.log(url)

// Sockets are shared by URL, so each has a path of its own.
function client (name) {
  const made = new Client({
    infoHash: INFO_HASH,
    peerId: Buffer.from(`-TS0001-${name.repeat(12)}`),
    announce: [`${url}/${name}`],
    rtcConfig: { iceServers: [] },
    port: 6881
  })

  made.on('error', error => { throw error })
  made.on('warning', error => console.error(`${name}: ${error.message}`))

  return made
}

const a = client('a')
const b = client('b')

a.start()
const [alone] = await once(a, 'update')
assert.equal(alone.incomplete, 1)
assert.equal(alone.interval, 60)

const peers = Promise.all([once(a, 'peer'), once(b, 'peer')])
b.start()
const [both] = await once(b, 'update')
assert.equal(both.incomplete, 2)
const [[peerOfA], [peerOfB]] = await peers
assert.equal(peerOfA.id, Buffer.from(`-TS0001-${'b'.repeat(12)}`).toString('hex'))
assert.equal(peerOfB.id, Buffer.from(`-TS0001-${'a'.repeat(12)}`).toString('hex'))
assert.deepEqual([peerOfA.initiator, peerOfB.initiator], [false, true])
while (peerOfB._pc.remoteDescription === undefined)
  await setTimeout(10)
assert.equal(peerOfB._pc.remoteDescription.sdp,
  `answer to ${peerOfB._pc.localDescription.sdp}`)
console.log('introduced')

a.scrape()
const [scraped] = await once(a, 'scrape')
assert.equal(scraped.incomplete, 2)

a.stop()
const [left] = await once(a, 'update')
assert.equal(left.incomplete, 1)
b.destroy() // says stopped, and goes
for (;;) {
  const stats = await (await fetch(url.replace('ws:', 'http:') +
    '/stats.json')).json()

  assert.equal(stats.refused, 0)
  if (stats.peers === 0 && stats.swarms === 0)
    break
}
console.log('they left')
process.exit(0)
