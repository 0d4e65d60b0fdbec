import Type from './typebox.ts'

/** A folder: `~` is the home, relative paths count from the file, or else from where the agent starts. */
export const Folder = (description: string) =>
  Type.String({ minLength: 1, folder: true, description })

/** Several of them. */
export const Folders = (description: string) =>
  Type.Array(Type.String({ minLength: 1, folder: true }), { description })

/** A file, its path read as a folder's is; by default none. */
export const File = (description: string) => Type.String({ folder: true, default: '', description })

/** A TCP port with its default. */
export const Port = (port: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 65_535, default: port, description })

/** A number from 1 with its default. */
export const Count = (count: number, maximum: number, description: string) =>
  Type.Integer({ minimum: 1, maximum, default: count, description })

/** CIDR blocks, by default none. */
export const Cidrs = (description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { default: [], description })

/** An address of this machine to listen on. */
export const Host = (description: string) =>
  Type.String({ minLength: 1, maxLength: 255, default: '127.0.0.1', description })

/** What the usual values of a `Host` mean. */
export const LOOPBACK = '127.0.0.1: this machine only; 0.0.0.0: every network it is in.'
