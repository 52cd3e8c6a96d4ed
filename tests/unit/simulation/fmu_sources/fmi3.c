/* A small FMI 3.0 co-simulation FMU: the Van der Pol oscillator by forward Euler of 0.01 s, as the Reference FMUs do. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct { double t, x0, x1, mu; } Model;
typedef uint32_t ref;
#define SIMPLE(name) int name(void *c) { (void)c; return 0; }

const char *fmi3GetVersion(void) { return "3.0"; }
int fmi3SetDebugLogging(void *c, bool on, size_t n, const char *const names[]) { (void)c; (void)on; (void)n; (void)names; return 0; }
void *fmi3InstantiateCoSimulation(const char *name, const char *token, const char *place, bool visible, bool on, bool events,
    bool early, const ref needed[], size_t n, void *environment, void *log, void *update) {
  (void)name; (void)token; (void)place; (void)visible; (void)on; (void)events; (void)early; (void)needed; (void)n;
  (void)environment; (void)log; (void)update;
  Model *m = calloc(1, sizeof *m);
  m->x0 = 2; m->mu = 1;
  return m;
}
void fmi3FreeInstance(void *c) { free(c); }
int fmi3EnterInitializationMode(void *c, bool d, double tol, double start, bool sd, double stop) { (void)d; (void)tol; (void)sd; (void)stop; ((Model *)c)->t = start; return 0; }
SIMPLE(fmi3ExitInitializationMode)
SIMPLE(fmi3Terminate)
SIMPLE(fmi3Reset)
int fmi3GetFloat64(void *c, const ref vr[], size_t n, double v[], size_t nv) {
  Model *m = c; (void)nv;
  for (size_t i = 0; i < n; i++) switch (vr[i]) {
    case 0: v[i] = m->t; break;
    case 1: v[i] = m->x0; break;
    case 3: v[i] = m->x1; break;
    case 5: v[i] = m->mu; break;
    default: return 3;
  }
  return 0;
}
int fmi3SetFloat64(void *c, const ref vr[], size_t n, const double v[], size_t nv) {
  Model *m = c; (void)nv;
  for (size_t i = 0; i < n; i++) { if (vr[i] == 1) m->x0 = v[i]; else if (vr[i] == 3) m->x1 = v[i]; else if (vr[i] == 5) m->mu = v[i]; else return 3; }
  return 0;
}
int fmi3DoStep(void *c, double at, double step, bool no, bool *event, bool *terminate, bool *early, double *last) {
  Model *m = c; (void)no;
  for (double end = at + step - 0.005; m->t < end;) {
    double d0 = m->x1, d1 = m->mu * (1 - m->x0 * m->x0) * m->x1 - m->x0;
    m->x0 += 0.01 * d0; m->x1 += 0.01 * d1; m->t += 0.01;
  }
  *event = *terminate = *early = false; *last = m->t;
  return 0;
}
