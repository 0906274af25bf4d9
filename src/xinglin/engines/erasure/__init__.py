"""Taking a person out of everything the installation keeps.  See README.md."""

from xinglin.engines.erasure.erasure import Erasure, ErasureGround, Report

__all__ = ["Erasure", "ErasureGround", "Report"]
