/** A command that was understood and not carried out. The message is for the terminal. */
export class NotDone extends Error {}
