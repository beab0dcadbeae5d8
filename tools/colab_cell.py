# @title Colab only: fetch the course (anywhere else this cell does nothing)
import sys

if "google.colab" in sys.modules:
    import subprocess
    from pathlib import Path
    from tempfile import TemporaryDirectory

    HOME, REF = "", "main"  # `make home` writes them
    LACKING = []
    source, version, upload = f"https://github.com/{HOME}", REF, Path("dae_course.zip")
    fetch = ["git", "clone", "-q", "--depth=1", f"--branch={REF}", source]
    if upload.exists():  # a newer one counts as another version
        source, version = upload, upload.stat().st_mtime_ns
        fetch = [sys.executable, "-m", "zipfile", "-e", upload]
    install = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", *LACKING]
    course = Path(f"dae_course-{version}").resolve()
    if not course.exists():
        with TemporaryDirectory(dir=".") as part:
            steps = {source: [*fetch, f"{part}/course"], "PyPI": install}
            for place, command in steps.items():
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    print(f"Fetching from {place} failed:", done.stderr.strip().rpartition("\n")[2])
                    print("Is there a network, and a course at that address? If not, upload")
                    print("dae_course.zip (`make colab-zip` builds it) into the file pane.")
                    sys.exit("Then run this cell again.")
            Path(part, "course").rename(course)
    if str(course) not in sys.path:
        sys.path.append(str(course))
        print(f"The course comes from {source}. Links to other notebooks do not work in Colab.")
