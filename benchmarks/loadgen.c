// Load generator for servitwin: publishes observations over MQTT 3.1.1 (QoS 1) or NATS with acknowledgement,
// so that the generator costs little beside the system under test. Prints one JSON line.
//   cc -O2 -pthread -o loadgen loadgen.c
//   loadgen mqtt|nats PORT MESSAGES [-s SAMPLES] [-c CONNECTIONS] [-w WINDOW] [-m MACHINES] [-r RATE] [-q QOS]
//           [-u USER -k PASSWORD] [-t TOPIC] [-x SESSION] [-f servitwin|plain]
// Payload "servitwin": {"time": ns, "session", "seq", "values": {8 numbers}}, with SAMPLES > 1 {"times": [...], ...}.
// Payload "plain" (for other systems): {"ts": ms, "values": {...}}. Each message has its own times and counter.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIGNALS = 8, VARIANTS = 8, BUFFER = 1 << 18 };
static const char *const signal_names[SIGNALS] = {"temperature", "vibration", "speed", "power",
                                                  "pressure",    "load",      "good",  "total"};
static const char *const formats[SIGNALS] = {"%.2f", "%.4f", "%.1f", "%.2f", "%.3f", "%.1f", "%.0f", "%.0f"};
static const double base_value[SIGNALS] = {60, 0.1, 1450, 12, 5, 40, 1000, 1010};
static const double spread[SIGNALS] = {20, 0.2, 50, 3, 0.5, 30, 100, 100};

static int use_mqtt, port, connections = 4, window = 512, machines = 1000, samples = 1, qos = 1, plain;
static long total;
static double rate;
static const char *user = "", *password = "", *topic = "observations", *session = "bench";

struct payload {
  char *text;
  int length, time_at, time_width, seq_at;
};
static struct payload *payloads;  // machine x variant

struct worker {
  int id;
  long sent, acked, refused;
  double bytes;
};

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static long long wall_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what) {
  perror(what);
  exit(2);
}

static void put_digits(char *at, long long value, int width) {
  while (width--) {
    at[width] = (char)('0' + value % 10);
    value /= 10;
  }
}

static double some_value(int signal, int machine, int step) {
  unsigned h = (unsigned)machine * 2654435761u ^ (unsigned)step * 40503u ^ (unsigned)signal * 97u;
  h ^= h >> 13;
  h *= 0x5bd1e995u;
  h ^= h >> 15;
  return base_value[signal] + spread[signal] * (h % 1000) / 1000.0;
}

static void build_payload(struct payload *p, int machine, int variant) {
  size_t capacity = 700 + (size_t)samples * 140;
  char *o = p->text = malloc(capacity);
  int at = 0, width = plain ? 13 : 19;
  p->time_width = width;
  at += sprintf(o + at, plain ? "{\"ts\":" : samples > 1 ? "{\"times\":" : "{\"time\":");
  if (samples > 1) o[at++] = '[';
  p->time_at = at;
  for (int k = 0; k < samples; k++) {
    if (k) o[at++] = ',';
    memset(o + at, '0', (size_t)width);
    at += width;
  }
  if (samples > 1) o[at++] = ']';
  p->seq_at = 0;
  if (!plain) {
    at += sprintf(o + at, ",\"session\":\"%s\",\"seq\":", session);
    p->seq_at = at;
    at += sprintf(o + at, "1000000000");
  }
  at += sprintf(o + at, ",\"values\":{");
  for (int s = 0; s < SIGNALS; s++) {
    at += sprintf(o + at, "%s\"%s\":", s ? "," : "", signal_names[s]);
    if (samples > 1) o[at++] = '[';
    for (int k = 0; k < samples; k++) {
      if (k) o[at++] = ',';
      at += sprintf(o + at, formats[s], some_value(s, machine, variant * samples + k));
    }
    if (samples > 1) o[at++] = ']';
  }
  at += sprintf(o + at, "}}");
  p->length = at;
}

static int dial(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&a, sizeof a)) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static void write_all(int fd, const char *data, size_t n) {
  while (n) {
    ssize_t k = write(fd, data, n);
    if (k <= 0) die("write");
    data += k;
    n -= (size_t)k;
  }
}

static int put_length(char *o, size_t n) {
  int i = 0;
  do {
    unsigned char d = n & 127;
    n >>= 7;
    o[i++] = (char)(n ? d | 128 : d);
  } while (n);
  return i;
}

static int put_text(char *o, const char *text) {
  size_t n = strlen(text);
  o[0] = (char)(n >> 8);
  o[1] = (char)n;
  memcpy(o + 2, text, n);
  return (int)n + 2;
}

static void greet_mqtt(int fd, int id) {
  char body[512], packet[600], name[64], answer[4];
  int n = put_text(body, "MQTT");
  body[n++] = 4;
  body[n++] = (char)(2 | (*user ? 0xc0 : 0));
  body[n++] = 0;
  body[n++] = 0;
  snprintf(name, sizeof name, "loadgen-%d-%d", getpid(), id);
  n += put_text(body + n, name);
  if (*user) {
    n += put_text(body + n, user);
    n += put_text(body + n, password);
  }
  packet[0] = 0x10;
  int h = 1 + put_length(packet + 1, (size_t)n);
  memcpy(packet + h, body, (size_t)n);
  write_all(fd, packet, (size_t)(h + n));
  for (size_t got = 0; got < 4;) {
    ssize_t k = read(fd, answer + got, 4 - got);
    if (k <= 0) die("CONNACK");
    got += (size_t)k;
  }
  if (answer[3]) {
    fprintf(stderr, "refused by the broker: %d\n", answer[3]);
    exit(2);
  }
}

static void greet_nats(int fd, const char *inbox) {
  char b[8192];
  size_t got = 0;
  while (!memmem(b, got, "\r\n", 2)) {
    ssize_t k = read(fd, b + got, sizeof b - got);
    if (k <= 0) die("INFO");
    got += (size_t)k;
  }
  int n = snprintf(b, sizeof b,
                   "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"lang\":\"c\",\"version\":\"1\","
                   "\"user\":\"%s\",\"pass\":\"%s\"}\r\nSUB %s 1\r\nPING\r\n",
                   user, password, inbox);
  write_all(fd, b, (size_t)n);
  for (got = 0; !memmem(b, got, "PONG\r\n", 6);) {
    ssize_t k = read(fd, b + got, sizeof b - got);
    if (k <= 0) die("PONG");
    got += (size_t)k;
    if (memmem(b, got, "-ERR", 4)) {
      fprintf(stderr, "refused by the bus: %.*s\n", (int)got, b);
      exit(2);
    }
  }
}

static size_t put_mqtt(char *o, int machine, const struct payload *p, unsigned short id) {
  char name[128];
  int n = snprintf(name, sizeof name, "servitwin/m%05d/%s", machine, topic);
  size_t at = 0;
  o[at++] = (char)(0x30 | (qos << 1));
  at += (size_t)put_length(o + at, (size_t)(2 + n + (qos ? 2 : 0) + p->length));
  at += (size_t)put_text(o + at, name);
  if (qos) {
    o[at++] = (char)(id >> 8);
    o[at++] = (char)id;
  }
  memcpy(o + at, p->text, (size_t)p->length);
  return at + (size_t)p->length;
}

static size_t put_nats(char *o, int machine, const struct payload *p, const char *inbox, long step) {
  char head[128];
  int h = snprintf(head, sizeof head, "NATS/1.0\r\nNats-Msg-Id: %s-%d-%ld\r\n\r\n", session, machine, step);
  size_t at = (size_t)sprintf(o, "HPUB in.m%05d.observations %s %d %d\r\n%s", machine, inbox, h, h + p->length, head);
  memcpy(o + at, p->text, (size_t)p->length);
  at += (size_t)p->length;
  o[at++] = '\r';
  o[at++] = '\n';
  return at;
}

static size_t count_mqtt(struct worker *w, const char *in, size_t n) {
  size_t at = 0;
  while (n - at >= 2 && n - at >= 2 + (size_t)(unsigned char)in[at + 1]) {
    if ((in[at] & 0xf0) == 0x40) w->acked++;
    at += 2 + (size_t)(unsigned char)in[at + 1];
  }
  return at;
}

static size_t count_nats(struct worker *w, const char *in, size_t n) {
  size_t at = 0;
  for (;;) {
    const char *end = memmem(in + at, n - at, "\r\n", 2);
    if (!end) return at;
    size_t line = (size_t)(end - in) - at + 2;
    if (in[at] == 'M' || in[at] == 'H') {
      const char *size = end;
      while (size[-1] != ' ') size--;
      size_t body = (size_t)atol(size) + 2;
      if (n - at < line + body) return at;
      if (memmem(in + at + line, body, "\"error\"", 7) || body < 8) w->refused++;
      else w->acked++;
      at += line + body;
    } else at += line;
  }
}

static void *publish(void *argument) {
  struct worker *w = argument;
  char inbox[64];
  snprintf(inbox, sizeof inbox, "_INBOX.loadgen%d.%d", getpid(), w->id);
  int fd = dial();
  if (use_mqtt) greet_mqtt(fd, w->id);
  else greet_nats(fd, inbox);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  int low = (int)((long)machines * w->id / connections), count = (int)((long)machines * (w->id + 1) / connections) - low;
  long quota = total / connections;
  int acknowledged = !use_mqtt || qos;
  size_t largest = (size_t)payloads[0].length * 2 + 1024, out_length = 0, out_at = 0, in_length = 0;
  char *out = malloc(BUFFER + largest), *in = malloc(BUFFER);
  unsigned short id = 0;
  double start = now_s();
  long long step_ns = 10000000LL, first = wall_ns();
  while ((acknowledged ? w->acked + w->refused : w->sent) < quota || out_at < out_length) {
    long allowed = quota;
    if (rate > 0) {
      allowed = (long)((now_s() - start) * rate / connections) + 1;
      if (allowed > quota) allowed = quota;
    }
    if (out_at == out_length) out_at = out_length = 0;
    while (w->sent < allowed && out_length < BUFFER && (!acknowledged || w->sent - w->acked - w->refused < window)) {
      int machine = low + (int)(w->sent % count);
      long step = w->sent / count;
      struct payload *p = &payloads[(size_t)machine * VARIANTS + (size_t)(step % VARIANTS)];
      for (int k = 0; k < samples; k++) {
        long long ns = first - 3600000000000LL + (step * samples + k) * step_ns;
        put_digits(p->text + p->time_at + k * (p->time_width + 1), plain ? ns / 1000000 : ns, p->time_width);
      }
      if (p->seq_at) put_digits(p->text + p->seq_at, 1000000000LL + step, 10);
      if (++id == 0) id = 1;
      out_length += use_mqtt ? put_mqtt(out + out_length, machine, p, id)
                             : put_nats(out + out_length, machine, p, inbox, step);
      w->sent++;
      w->bytes += p->length;
    }
    struct pollfd f = {fd, (short)(POLLIN | (out_at < out_length ? POLLOUT : 0)), 0};
    if (poll(&f, 1, rate > 0 ? 1 : 100) < 0) die("poll");
    if (f.revents & POLLOUT) {
      ssize_t k = write(fd, out + out_at, out_length - out_at);
      if (k > 0) out_at += (size_t)k;
      else if (errno != EAGAIN) die("write");
    }
    if (f.revents & (POLLIN | POLLHUP)) {
      ssize_t k = read(fd, in + in_length, BUFFER - in_length);
      if (k == 0) {
        fprintf(stderr, "closed by the server after %ld messages\n", w->acked);
        break;
      }
      if (k > 0) {
        in_length += (size_t)k;
        size_t used = use_mqtt ? count_mqtt(w, in, in_length) : count_nats(w, in, in_length);
        memmove(in, in + used, in_length - used);
        in_length -= used;
      }
    }
  }
  if (use_mqtt) write_all(fd, "\xe0\0", 2);
  close(fd);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  use_mqtt = !strcmp(argv[1], "mqtt");
  port = atoi(argv[2]);
  total = atol(argv[3]);
  optind = 4;
  for (int o; (o = getopt(argc, argv, "s:c:w:m:r:q:u:k:t:x:f:")) > 0;) switch (o) {
      case 's': samples = atoi(optarg); break;
      case 'c': connections = atoi(optarg); break;
      case 'w': window = atoi(optarg); break;
      case 'm': machines = atoi(optarg); break;
      case 'r': rate = atof(optarg); break;
      case 'q': qos = atoi(optarg); break;
      case 'u': user = optarg; break;
      case 'k': password = optarg; break;
      case 't': topic = optarg; break;
      case 'x': session = optarg; break;
      case 'f': plain = !strcmp(optarg, "plain"); break;
      default: return 2;
    }
  signal(SIGPIPE, SIG_IGN);
  payloads = calloc((size_t)machines * VARIANTS, sizeof *payloads);
  for (int m = 0; m < machines; m++)
    for (int v = 0; v < VARIANTS; v++) build_payload(&payloads[(size_t)m * VARIANTS + (size_t)v], m, v);
  struct worker *workers = calloc((size_t)connections, sizeof *workers);
  pthread_t *threads = calloc((size_t)connections, sizeof *threads);
  double start = now_s();
  for (int i = 0; i < connections; i++) {
    workers[i].id = i;
    pthread_create(&threads[i], NULL, publish, &workers[i]);
  }
  long sent = 0, acked = 0, refused = 0;
  double bytes = 0;
  for (int i = 0; i < connections; i++) {
    pthread_join(threads[i], NULL);
    sent += workers[i].sent;
    acked += workers[i].acked;
    refused += workers[i].refused;
    bytes += workers[i].bytes;
  }
  double seconds = now_s() - start;
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
  printf("{\"sent\":%ld,\"acked\":%ld,\"refused\":%ld,\"seconds\":%.4f,\"bytes\":%.0f,\"cpu_s\":%.3f}\n", sent, acked, refused,
         seconds, bytes, cpu);
  return 0;
}
