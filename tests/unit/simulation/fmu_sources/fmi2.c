/* A small FMI 2.0 co-simulation FMU: x' = -k x by forward Euler, u is added. KIND says how it misbehaves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#ifndef KIND
#define KIND 0
#endif
enum { GOOD, CRASHES, HANGS, WRITES_HERE, WRITES_AWAY, EATS_MEMORY, ABORTS, CALLS_HOME, FORKS, EXITS, READS_SECRETS, NAN_VALUES, FLOODS };
typedef struct { double t, x, k, u, probe; } Model;
typedef unsigned int ref;

static void misbehave(Model *m) {
  static char *volatile p = 0;
  (void)m;
  switch (KIND) {
  case CRASHES: *p = 1; break;
  case HANGS: for (;;) sleep(1); break;
  case WRITES_HERE: { FILE *f = fopen("left-behind.txt", "w"); if (f) { fputs("hello", f); fclose(f); } break; }
  case WRITES_AWAY: { int f = open(AWAY, O_CREAT | O_WRONLY, 0600); m->probe = f; break; }
  case EATS_MEMORY: for (;;) { char *q = malloc(64 << 20); if (!q) abort(); memset(q, 1, 64 << 20); } break;
  case ABORTS: abort(); break;
  case CALLS_HOME: {
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    int s = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    m->probe = s < 0 ? -2 : connect(s, (struct sockaddr *)&a, sizeof a);
    break; }
  case FORKS: if (fork() == 0) { setsid(); if (fork() == 0) for (;;) sleep(1); _exit(0); } break;
  case EXITS: _exit(7);
  case READS_SECRETS: m->probe = open(AWAY, O_RDONLY); break;
  case NAN_VALUES: m->x = 0.0 / 0.0; break;
  case FLOODS: for (int i = 0; i < 100000; i++) puts("{\"values\": {}} this must not reach the master"); fflush(stdout); break;
  }
}

const char *fmi2GetTypesPlatform(void) { return "default"; }
const char *fmi2GetVersion(void) { return "2.0"; }
int fmi2SetDebugLogging(void *c, int on, size_t n, const char *const names[]) { (void)c; (void)on; (void)n; (void)names; return 0; }
void *fmi2Instantiate(const char *name, int type, const char *guid, const char *place, const void *callbacks, int visible, int on) {
  (void)name; (void)type; (void)guid; (void)place; (void)callbacks; (void)visible; (void)on;
  Model *m = calloc(1, sizeof *m);
  m->x = 1; m->k = 1;
  return m;
}
void fmi2FreeInstance(void *c) { free(c); }
int fmi2SetupExperiment(void *c, int d, double tol, double start, int sd, double stop) { (void)d; (void)tol; (void)sd; (void)stop; ((Model *)c)->t = start; return 0; }
int fmi2EnterInitializationMode(void *c) { (void)c; return 0; }
int fmi2ExitInitializationMode(void *c) { (void)c; return 0; }
int fmi2Terminate(void *c) { (void)c; return 0; }
int fmi2Reset(void *c) { (void)c; return 0; }
int fmi2GetReal(void *c, const ref vr[], size_t n, double v[]) {
  Model *m = c; double all[] = { m->t, m->x, m->k, m->u, m->probe };
  for (size_t i = 0; i < n; i++) { if (vr[i] > 4) return 3; v[i] = all[vr[i]]; }
  return 0;
}
int fmi2SetReal(void *c, const ref vr[], size_t n, const double v[]) {
  Model *m = c;
  for (size_t i = 0; i < n; i++) { if (vr[i] == 1) m->x = v[i]; else if (vr[i] == 2) m->k = v[i]; else if (vr[i] == 3) m->u = v[i]; else return 3; }
  return 0;
}
int fmi2DoStep(void *c, double at, double step, int no) {
  Model *m = c; (void)no;
  if (at >= 0.45) misbehave(m);
  m->x += step * (m->u - m->k * m->x);
  m->t = at + step;
  return 0;
}
