#!/usr/bin/perl
# Makes many files quickly. usage: tree.pl KIND ROOT COUNT [FIRST]
#
#   twins      COUNT small files, 1,000 in a directory; file number i is the same in every root
#   one-size   COUNT files of 4,096 bytes that differ in the last 16 only; all numbers differ, from FIRST on
#   flat       like twins, in one directory
#   empty      COUNT empty files, 1,000 in a directory
#   sparse     one file of COUNT bytes that is one hole but for the last
#   names      COUNT names of one file
use strict;
use warnings;

my ($kind, $root, $count, $first) = @ARGV;
die "usage: tree.pl KIND ROOT COUNT [FIRST]\n" unless defined $count && $count =~ /^[1-9][0-9]*$/;
my $top = "$root/usr/share/bench";
my $then = 1_700_000_000;    # one time for all, else nothing could be shared
my %content = (
    twins      => sub { "file $_[0]\n" x (1 + $_[0] % 20) },
    flat       => sub { "file $_[0]\n" x (1 + $_[0] % 20) },
    'one-size' => sub { 'x' x 4080 . sprintf('%016d', $_[0]) },
    empty      => sub { '' },
    names      => sub { "one file\n" },
);

sub make_dirs {
    my $at = '';
    for my $part (split m{/}, $_[0]) {
        $at .= "$part/";
        -d $at or mkdir $at, 0755 or die "$at: $!\n";
    }
}

sub make_file {
    my ($path, $bytes) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    print $file $bytes or die "$path: $!\n";
    close $file or die "$path: $!\n";
    utime $then, $then, $path or die "$path: $!\n";
}

umask 022;
make_dirs($top);
if ($kind eq 'sparse') {
    make_file("$top/file", '');
    open my $file, '+<', "$top/file" or die "$top/file: $!\n";
    seek $file, $count - 1, 0 or die "$top/file: $!\n";
    print $file 'x';
    close $file or die "$top/file: $!\n";
    utime $then, $then, "$top/file" or die "$top/file: $!\n";
    exit;
}
my $make = $content{$kind} or die "tree.pl: no such kind: $kind\n";
my $in_one_dir = $kind eq 'flat' ? $count : 1000;
$first //= 0;
for my $number ($first .. $first + $count - 1) {
    my $index = $number - $first;
    my $dir = sprintf '%s/%05d', $top, $index / $in_one_dir;
    make_dirs($dir) if $index % $in_one_dir == 0;
    my $path = sprintf '%s/%08d', $dir, $number;
    if ($kind eq 'names' && $index > 0) {
        link sprintf('%s/00000/%08d', $top, $first), $path or die "$path: $!\n";
    } else {
        make_file($path, $make->($number));
    }
}
