import { resolve } from 'node:path'
import sharp from 'sharp'

/** A photograph of 1280×720 as a JPEG of about 250 kB. */
export function still(): Promise<Buffer> {
  const photo = sharp(resolve('examples/media/street.jpg'))
  return photo.resize(1280, 720, { fit: 'cover' }).jpeg({ quality: 90 }).toBuffer()
}
