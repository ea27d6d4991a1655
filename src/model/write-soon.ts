/** How something small and whole goes out on a connection: soon, together with what others have to say. */
import type { Socket } from 'node:net'

/**
 * @param text    bytes as latin1
 * @param written called once it is handed to the socket, or the socket is found gone; never before writeSoon has returned
 */
export type WriteSoon = (socket: Socket, text: string, written: (() => void) | null) => void
