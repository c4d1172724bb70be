// hostile-client.cjs ADDRESS PORT COUNT SECONDS KIND: a user of one host who means the master harm, for the lab only.
//   idle    connections that say nothing          byte   one byte, which the daemon never reads further
//   half    the sending side is closed at once    slow   a byte a second of a TLS hello
//   hello   a whole TLS hello, then silence       flood  connections made anew whenever they end, each with a hello
// Prints one line of JSON at the end: how many were made, how many were held for a second and more at most, how many ended.
const { connect } = require('node:net');

const [address, port, count, seconds, kind] = process.argv.slice(-5);
const hello = Buffer.concat([
  Buffer.from('1603010067010000630303', 'hex'),
  Buffer.alloc(32, 7),
  Buffer.from('000004130200ff01000036002b0003020304000d000600040804080100330026002400', 'hex'),
  Buffer.alloc(38, 9),
]);
const endAt = Date.now() + Number(seconds) * 1000;
const open = new Map();
const seen = { made: 0, held: 0, ended: 0 };

const begin = {
  idle: () => {},
  byte: (socket) => socket.write('x'),
  half: (socket) => socket.end(),
  hello: (socket) => socket.write(hello),
  flood: (socket) => socket.write(hello),
  slow: (socket) => {
    let at = 0;
    const timer = setInterval(() => socket.write(hello.subarray(at, ++at)), 1000);
    socket.once('close', () => clearInterval(timer));
  },
};

function one() {
  const socket = connect({ host: address, port: Number(port), allowHalfOpen: true });
  socket.on('connect', () => {
    seen.made += 1;
    open.set(socket, Date.now());
    begin[kind](socket);
  });
  socket.on('error', () => {});
  socket.on('data', () => {});
  socket.on('end', () => socket.destroy());
  socket.on('close', () => {
    if (open.delete(socket)) seen.ended += 1;
    const pause = kind === 'flood' ? 20 : 200;
    if (Date.now() + pause < endAt) setTimeout(one, pause);
  });
}

for (let made = 0; made < Number(count); made += 1) one();
setInterval(() => {
  const old = [...open.values()].filter((since) => Date.now() - since >= 1000).length;
  seen.held = Math.max(seen.held, old);
  if (Date.now() < endAt) return;
  process.stdout.write(`${JSON.stringify(seen)}\n`);
  process.exit(0);
}, 200);
