"""A Slurm of one node in a folder: munge, slurmctld and slurmd as this user's own processes (root), on ports of their own.

    with slurm_here.Slurm(folder, max_array_size=50) as slurm:
        subprocess.run(["sbatch", ...], env=slurm.environment)
"""
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")


def is_there():
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return os.geteuid() == 0 and all(shutil.which(program, path=path) for program in PROGRAMS)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Slurm:
    def __init__(self, folder, max_array_size=1001, cpus=None):
        self.folder = pathlib.Path(folder)
        self.processes = []
        for name in ("munge", "state", "spool"):
            (self.folder / name).mkdir(parents=True)
        host = socket.gethostname().split(".")[0]
        sock = self.folder / "munge/socket"
        (self.folder / "slurm.conf").write_text(f"""ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
AuthType=auth/munge
AuthInfo=socket={sock}
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
SlurmUser=root
SlurmdUser=root
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool
SlurmctldPidFile={self.folder}/slurmctld.pid
SlurmdPidFile={self.folder}/slurmd.pid
SlurmctldLogFile={self.folder}/slurmctld.log
SlurmdLogFile={self.folder}/slurmd.log
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
MaxArraySize={max_array_size}
MaxJobCount=20000
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus or os.cpu_count()} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
""")
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf"),
                            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
        self.sock = sock

    def _start(self, *words):
        log = open(self.folder / f"{words[0]}.out", "wb")
        self.processes.append(subprocess.Popen(words, env=self.environment, stdout=log, stderr=log))

    def __enter__(self):
        munge = self.folder / "munge"
        (munge / "key").write_bytes(secrets.token_bytes(128))
        (munge / "key").chmod(0o400)
        munge.chmod(0o755)
        self._start("munged", "--foreground", "--force", f"--key-file={munge}/key", f"--socket={self.sock}",
                    f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed")
        for _ in range(100):
            if self.sock.exists():
                break
            time.sleep(0.1)
        self._start("slurmctld", "-D")
        self._start("slurmd", "-D")
        for _ in range(100):
            state = subprocess.run(["sinfo", "--noheader", "--format=%T"], env=self.environment, capture_output=True,
                                   text=True)
            if state.stdout.strip() == "idle":
                return self
            time.sleep(0.2)
        self.__exit__()
        raise RuntimeError(f"Slurm does not come up: {state.stdout}{state.stderr}")

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
