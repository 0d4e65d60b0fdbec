import { type AddressBook, serviceTopic } from '../../schemas/address.ts'

/** What a newcomer needs to know of a running demo. */
export interface Introduction {
  readonly version: string
  readonly addresses: Readonly<Record<'mqtt' | 'ws' | 'http' | 'rtsp', string>>
  readonly book: AddressBook
  readonly service: string
  /** An input of it, to look at. */
  readonly input: string
  /** A picture to change the input to. */
  readonly picture: string
}

/** Where the demo listens, and the two lines with which to watch and to change it. */
export function introduction(about: Introduction): string {
  const { version, addresses, book, service, picture } = about
  const { hostname, port } = new URL(reachable(addresses.mqtt))
  const broker = `-h ${hostname.replace(/^\[|\]$/g, '')} -p ${port}`
  const watched = quoted(serviceTopic(book, service, 'detections/+'))
  const changed = quoted(serviceTopic(book, service, 'input/set'))
  const input = quoted(JSON.stringify({ url: picture, fps: 2, loop: true }))
  return `Heliograph ${version} runs; Ctrl-C ends it.

  MQTT       ${addresses.mqtt}
  WebSocket  ${addresses.ws}
  HTTP       ${addresses.http}/docs
  Video      ${addresses.rtsp}/${service}/video/${about.input}
  Topics     ${book.root}/1/${book.agent}/…

In another terminal, watch every detection:
  mosquitto_sub ${broker} -t ${watched} -v
watch the annotated video (VLC and OpenCV open it too):
  ffplay -fflags nobuffer ${reachable(addresses.rtsp)}/${service}/video/${about.input}
change the input to a picture:
  mosquitto_pub ${broker} -t ${changed} -m ${input}
and send a picture of your own, to get it back with its boxes:
  curl --data-binary @photo.jpg -H 'Accept: image/jpeg' -o found.jpg ${reachable(addresses.http)}/compute

`
}

/** An address that listens everywhere is reached here. */
export function reachable(address: string): string {
  return address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
