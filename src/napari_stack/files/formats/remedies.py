"""What to do with a file that is not read here: which program converts it."""

_BIO_FORMATS = (
    "convert it with Bio-Formats, bioformats2raw to OME-Zarr or bfconvert to OME-TIFF, or open it "
    "in Fiji and save it as TIFF"
)

_FIJI = "open it in Fiji and save it as TIFF"

_EXPORT = "export it as TIFF or PNG from the program that made it"

_ARRAY = "load it there and save its array by numpy.save as .npy, or by tifffile.imwrite as .tif"

#: Remedies by the suffixes of the kinds of files for which they are meant.
_REMEDIES: tuple[tuple[str, str], ...] = (
    (".oir .vsi .ets .mrxs .zvi .dv .r3d .ids .ics .sld .sldy .flex .mvd2 .xdce .afi .vms .vmu "
     ".obf .msr .spe .sif .his .htd .gel .cxd .aim .xqd .xqf .zvi .mea .res .scn .lei .liff .ipw "
     ".stp .lms .xlef .dm3 .dm4 .emi .am .tnb .1sc .bif", _BIO_FORMATS),
    (".nrrd .nhdr .nii .nii.gz .mha .mhd .hdr .img .raw .bin .dat", _FIJI),
    (".psd .psb .xcf .kra .ora .afphoto .svg .pdf .ai .eps .ps .indd .cdr .clip .sketch .blend "
     ".pptx .ppt .docx .doc .odp .odt", _EXPORT),
    (".mat .pkl .pickle .pt .pth .tdms .parquet .feather .arrow .sav .rds .rdata .joblib", _ARRAY),
    (".zip .7z .rar .tar .gz .tgz .bz2 .xz .zst", "unpack it, and name the folder of its files"),
    (".frames", "drop it onto napari's window, which takes lists of frames, or name a glob"),
    (".txt .csv .json .xml .xmp .log .md .yml .yaml .ini .html",
     "it lies beside images: leave it out"),
)  # fmt: skip


def remedy(path: str) -> str:
    """Say what to do with a file of no known kind.

    Examples
    --------
    >>> remedy("cells.oir")[:28]
    'convert it with Bio-Formats,'
    """
    name = path.lower()
    for suffixes, text in _REMEDIES:
        if name.endswith(tuple(suffixes.split())):
            return text
    return (
        "leave it out, or save it as TIFF; what Bio-Formats reads, its bfconvert makes OME-TIFF of"
    )
