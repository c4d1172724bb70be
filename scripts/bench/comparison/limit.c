/*
 * What a monitor is measured against, and what measures it; all of it without a runtime of its own in the way.
 *
 *   limit event N              N times: a child is killed, its pidfd fires. Prints microseconds, a line each.
 *   limit watch PID            Ends when that process has: a monitor at the limit of what Linux can do.
 *   limit run STATE PID CMD... Starts a monitor, waits until it is armed, kills PID, waits for the end of the monitor. Armed:
 *                              it says so on standard output (STATE is -), or its state file does. Prints three moments in
 *                              seconds since the epoch: the kill, what the monitor says of when it knew (0: nothing), its end.
 *   limit time N CMD...        Runs it N times. Prints milliseconds and peak kilobytes of its largest process, a line each.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static int pidfd(pid_t pid) { return syscall(434, pid, 0); }

static void wait_readable(int descriptor) {
  struct pollfd one = {.fd = descriptor, .events = POLLIN};
  while (poll(&one, 1, -1) < 1) continue;
}

static void nap(double ms) {
  struct timespec t = {.tv_sec = ms / 1e3};
  t.tv_nsec = (ms - 1e3 * t.tv_sec) * 1e6;
  nanosleep(&t, NULL);
}

static int event(int times) {
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0)
      for (;;) pause();
    int descriptor = pidfd(child);
    if (descriptor < 0) return 1;
    nap(1);
    double killed = now(CLOCK_MONOTONIC);
    kill(child, SIGKILL);
    wait_readable(descriptor);
    printf("%.1f\n", (now(CLOCK_MONOTONIC) - killed) * 1e6);
    close(descriptor);
    waitpid(child, NULL, 0);
  }
  return 0;
}

static int watch(pid_t pid) {
  int descriptor = pidfd(pid);
  if (descriptor < 0) return 1;
  dprintf(1, "armed\n");
  wait_readable(descriptor);
  dprintf(1, "%.6f\n", now(CLOCK_REALTIME));
  return 1;
}

static int holds(const char *file, const char *one, const char *other) {
  char text[8192];
  FILE *opened = fopen(file, "r");
  if (opened == NULL) return 0;
  size_t length = fread(text, 1, sizeof text - 1, opened);
  fclose(opened);
  text[length] = 0;
  return strstr(text, one) != NULL && strstr(text, other) != NULL;
}

static int run(const char *state, pid_t daemon, char **command) {
  int ends[2];
  char said[256] = "", name[64];
  if (pipe(ends) != 0) return 2;
  pid_t monitor = fork();
  if (monitor == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    execv(command[0], command);
    _exit(127);
  }
  close(ends[1]);
  double limit = now(CLOCK_MONOTONIC) + 20;
  if (strcmp(state, "-") == 0) {
    if (read(ends[0], said, sizeof said - 1) < 1) return 2;
  } else {
    snprintf(name, sizeof name, "\"pid\":%d,", monitor);
    while (!holds(state, name, "\"endIsEvent\":true")) {
      if (now(CLOCK_MONOTONIC) > limit) return 2;
      nap(5);
    }
  }
  // At any moment of a poller's second.
  srand(getpid());
  nap(200 + rand() % 1000);
  double killed = now(CLOCK_REALTIME);
  kill(daemon, SIGKILL);
  if (waitpid(monitor, NULL, 0) != monitor) return 2;
  double gone = now(CLOCK_REALTIME);
  memset(said, 0, sizeof said);
  ssize_t length = read(ends[0], said, sizeof said - 1);
  printf("%.6f %.6f %.6f\n", killed, length > 0 ? atof(said) : 0, gone);
  return 0;
}

static double seconds(struct timeval time) {
  return time.tv_sec + time.tv_usec / 1e6;
}

/* The CPU time is the sum of all runs. */
static int time_command(int times, char **command) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (int i = 0; i < times; i++) {
    double began = now(CLOCK_MONOTONIC);
    pid_t child = fork();
    if (child == 0) {
      if (freopen("/dev/null", "w", stdout) == NULL) _exit(127);
      execv(command[0], command);
      _exit(127);
    }
    if (waitpid(child, NULL, 0) != child) return 2;
    double took = now(CLOCK_MONOTONIC) - began;
    // What it left behind costs CPU time as well.
    while (waitpid(-1, NULL, WNOHANG) != -1 && now(CLOCK_MONOTONIC) - began < took + 2) usleep(2000);
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    printf("%.2f %.2f %ld\n", took * 1e3, seconds(used.ru_utime) * 1e3 + seconds(used.ru_stime) * 1e3, used.ru_maxrss);
  }
  return 0;
}

int main(int count, char **words) {
  if (count == 3 && strcmp(words[1], "event") == 0) return event(atoi(words[2]));
  if (count == 3 && strcmp(words[1], "watch") == 0) return watch(atoi(words[2]));
  if (count > 4 && strcmp(words[1], "run") == 0) return run(words[2], atoi(words[3]), words + 4);
  if (count > 3 && strcmp(words[1], "time") == 0) return time_command(atoi(words[2]), words + 3);
  fprintf(stderr, "usage: limit event N | watch PID | run STATE PID COMMAND... | time N COMMAND...\n");
  return 64;
}
